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


def read_ids(path: Path) -> NDArray[np.uint8]:
    """The raw ids (H, W) uint8 of a label file: palette indices or grey values, never colours.

    Raises:
        InputError: the file holds colours or 16-bit values.
    """
    image = _load(path)
    if image.mode not in ("L", "P"):
        raise InputError(
            f"{path}: expected a label of 8-bit ids (palette or grey PNG), but got mode {image.mode}; "
            "a colour picture holds no ids: use the data set's id labels"
        )
    return np.asarray(image)


def read_label(path: Path, table: IdTable, size: Size | None = None) -> NDArray[np.uint8]:
    """A label file as trainIds (H, W) uint8, resized (nearest) to ``size`` when given.

    Raises:
        InputError: an id that the format does not define.
    """
    ids = read_ids(path)
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
