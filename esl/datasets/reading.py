"""Pictures and labels, read from files into arrays."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IdTable
from esl.errors import InputError

Size = tuple[int, int]
"""(width, height) in pixels, as Pillow and the config write it."""


def _load(path: Path) -> Image.Image:
    """The decoded image; InputError names a file that is missing, truncated or no image."""
    try:
        with Image.open(path) as image:
            image.load()
            return image
    except FileNotFoundError:
        raise InputError(
            f"{path}: no such file; it stood in the index: restore it, or index the data set anew"
        ) from None
    except (OSError, SyntaxError, ValueError) as error:  # what Pillow's decoders raise for damaged files
        raise InputError(f"{path}: not a readable image ({error}); obtain the file again") from None


def read_picture(path: Path, size: Size | None = None) -> NDArray[np.uint8]:
    """An RGB picture (H, W, 3) uint8, resized (bicubic) to ``size`` when given."""
    image = _load(path).convert("RGB")
    if size is not None and image.size != size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)


def read_ids(path: Path, *, first_of_16_bits: bool = False) -> NDArray[np.uint8]:
    """The raw ids (H, W) uint8 of a label file: palette indices or grey values, never colours.

    With ``first_of_16_bits`` the file may also be a PNG of three 16-bit channels, of which the first holds the ids.

    Raises:
        InputError: the file holds colours or 16-bit values.
    """
    if first_of_16_bits and _has_16_bit_channels(path):
        return _first_channel(path)
    image = _load(path)
    if image.mode not in ("L", "P"):
        raise InputError(
            f"{path}: expected a label of 8-bit ids (palette or grey PNG), but got mode {image.mode}; "
            "a colour picture holds no ids: use the data set's id labels"
        )
    return np.asarray(image)


def _has_16_bit_channels(path: Path) -> bool:
    """Whether a file is a PNG of 16-bit RGB, by its header (PNG specification, 11.2.2)."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        header = file.read(26)
    return header.startswith(b"\x89PNG\r\n\x1a\n") and header[24:] == bytes([16, 2])


def _first_channel(path: Path) -> NDArray[np.uint8]:
    """The first of three 16-bit channels. Pillow drops the low byte of each and returns zeros without a word."""
    from torchvision.io import ImageReadMode, decode_image  # takes seconds to import; only SYNTHIA needs it

    try:
        ids: NDArray[np.uint16] = decode_image(str(path), ImageReadMode.UNCHANGED)[0].numpy()
    except RuntimeError as error:
        raise InputError(f"{path}: not a readable image ({error}); obtain the file again") from None
    if ids.max(initial=0) > 255:
        raise InputError(f"{path}: holds ids up to {ids.max()}, but no data set has any above 255; obtain it again")
    return ids.astype(np.uint8)


def read_label(path: Path, table: IdTable, size: Size | None = None) -> NDArray[np.uint8]:
    """A label file as trainIds (H, W) uint8, resized (nearest) to ``size`` when given.

    Raises:
        InputError: an id that the format does not define.
    """
    ids = read_ids(path, first_of_16_bits=table.first_of_16_bits)
    unknown = unknown_ids(ids, table)
    if unknown:
        raise InputError(f"{path}: label ids {unknown} are not ids of this data set; is it another format?")
    train_ids = table.train_ids[ids]
    if size is not None and size != (train_ids.shape[1], train_ids.shape[0]):
        return np.asarray(Image.fromarray(train_ids).resize(size, Image.Resampling.NEAREST))
    return train_ids


def unknown_ids(ids: NDArray[np.uint8], table: IdTable) -> list[int]:
    """The ids in ``ids`` that ``table`` does not know, in ascending order."""
    present = np.bincount(ids.ravel(), minlength=256) > 0
    return [int(id_) for id_ in np.flatnonzero(present & ~table.known)]
