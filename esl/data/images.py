"""Pictures and labels, read from files into arrays."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from esl.classes import IdTable
from esl.errors import InputError

Size = tuple[int, int]
"""(width, height) in pixels, as Pillow and the config write it."""

Resize = Size | int | None
"""What pictures are brought to: a size; the length of the longer side, keeping the shape; ``None``: their own size."""

SHOWN_COLOURS = 8
"""Unknown colours named in an error at most."""


def resized(size: Size, to: Resize) -> Size:
    """The size that a picture of ``size`` is brought to.

    >>> resized((4000, 3000), (1024, 512)), resized((4000, 3000), 1024), resized((3000, 4000), 1024)
    ((1024, 512), (1024, 768), (768, 1024))
    """
    if to is None:
        return size
    if isinstance(to, tuple):
        return to
    longer = max(size)
    return max(1, round(size[0] * to / longer)), max(1, round(size[1] * to / longer))


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


def read_picture(path: Path, to: Resize = None) -> NDArray[np.uint8]:
    """A picture as RGB (H, W, 3) uint8, upright as its EXIF orientation says, resized (bicubic) as asked.

    Grey is repeated in the three channels; alpha is dropped, the colours under it are kept; of 16 bits the upper 8 are
    taken.

    Raises:
        InputError: the file is missing, damaged, or holds neither integers of 8 nor of 16 bits.
    """
    image = _load(path)
    if image.mode.startswith("I;16") or image.mode == "I":
        values = np.asarray(image)
        if values.min(initial=0) < 0 or values.max(initial=0) > 65535:
            raise InputError(f"{path}: expected a picture of 8 or 16 bits, but it has values of 32; convert it")
        image = _with_orientation_of(image, Image.fromarray((values >> 8).astype(np.uint8)))
    elif image.mode == "F":
        raise InputError(f"{path}: expected a picture of 8 or 16 bits, but it holds floating-point numbers; convert it")
    image = ImageOps.exif_transpose(image).convert("RGB")
    size = resized(image.size, to)
    if size != image.size:
        image = image.resize(size, Image.Resampling.BICUBIC)
    return np.asarray(image)


def _with_orientation_of(original: Image.Image, image: Image.Image) -> Image.Image:
    image.getexif().update(original.getexif())
    return image


def read_ids(path: Path, table: IdTable) -> NDArray[np.uint8]:
    """The raw ids (H, W) uint8 of a label file, as the encoding of ``table`` says: see ``classes.Encoding``.

    Raises:
        InputError: the file is missing or damaged, or holds colours where ids are expected, ids where colours are, a
            colour that is not in the table, or 16-bit values.
    """
    if table.encoding == "colours":
        return _ids_of_colours(path, table)
    if table.encoding == "first_of_16_bits" and _has_16_bit_channels(path):
        return _first_channel(path)
    image = _load(path)
    if image.mode not in ("L", "P"):
        raise InputError(
            f"{path}: expected a label of 8-bit ids (palette or grey PNG), but got mode {image.mode}; "
            "a colour picture holds no ids: use the data set's id labels"
        )
    return np.asarray(image)


def _ids_of_colours(path: Path, table: IdTable) -> NDArray[np.uint8]:
    """The id of every pixel's colour; a palette is looked through."""
    image = _load(path)
    if image.mode not in ("RGB", "RGBA", "P"):
        raise InputError(
            f"{path}: expected a label of colours (RGB or palette PNG), but got mode {image.mode}; "
            "declare `ids` instead of `colours` for labels of ids"
        )
    pixels = _packed(np.asarray(image.convert("RGB")))
    colours = np.array(sorted(table.colours), dtype=np.uint8)
    ids = np.array([table.colours[colour] for colour in sorted(table.colours)], dtype=np.uint8)
    known = _packed(colours)  # sorted, since colours are
    place = np.searchsorted(known, pixels).clip(max=len(known) - 1)
    if (strange := known[place] != pixels).any():
        values = [int(value) for value in np.unique(pixels[strange])]
        shown = ", ".join(str((value >> 16, value >> 8 & 255, value & 255)) for value in values[:SHOWN_COLOURS])
        more = f" and {len(values) - SHOWN_COLOURS} more" if len(values) > SHOWN_COLOURS else ""
        raise InputError(f"{path}: colours {shown}{more} are of no label; add them to `colours`")
    found: NDArray[np.uint8] = ids[place]
    return found


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """RGB (..., 3) uint8 -> one number each: red, green, blue from the highest byte down."""
    wide = colours.astype(np.uint32)
    return np.asarray(wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2], dtype=np.uint32)


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
    ids = read_ids(path, table)
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
