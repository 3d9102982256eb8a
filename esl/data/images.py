"""Reads images and labels from files into arrays."""

import hashlib
from pathlib import Path
from stat import S_ISREG
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IdTable
from esl.data.decoding import decode, upright
from esl.data.id_labels import decode_ids, unknown_ids
from esl.errors import InputError

SizeWH = tuple[int, int]
"""(width, height) in pixels, as Pillow and the config write it."""

Resize = SizeWH | int | None
"""The target size of images: both sides; the longer side, at the same aspect ratio; ``None``: unchanged."""

DEPTH = 16
"""The bits of the values in a 16-bit image, unless a dataset's declaration says otherwise."""


class CheckedFile(NamedTuple):
    """A file with the digest of its bytes; a changed file is refused."""

    path: Path
    sha256: str
    bits: int = DEPTH  # of the values in a 16-bit image


File = CheckedFile | Path
"""A file to read: a bare path is read without a check."""


def resized_wh(size_wh: SizeWH, to: Resize) -> SizeWH:
    """The size of an image of ``size_wh`` after resizing.

    >>> resized_wh((4000, 3000), (1024, 512)), resized_wh((4000, 3000), 1024), resized_wh((3000, 4000), 1024)
    ((1024, 512), (1024, 768), (768, 1024))
    """
    if to is None:
        return size_wh
    if isinstance(to, tuple):
        return to
    longer = max(size_wh)
    return max(1, round(size_wh[0] * to / longer)), max(1, round(size_wh[1] * to / longer))


def read_bytes(file: File) -> tuple[Path, bytes]:
    """The path of a file and its bytes.

    Raises:
        InputError: the file is missing or cannot be read, or its bytes have another digest.
    """
    path, sha256 = (file.path, file.sha256) if isinstance(file, CheckedFile) else (file, None)
    try:
        if not S_ISREG(path.stat().st_mode):
            raise InputError(f"{path}: a folder or device where a file was expected; move it elsewhere")
        content = path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise InputError(
                f"{path}: a broken link to {path.readlink()}; fetch that file, or remove the link"
            ) from None
        raise InputError(f"{path}: no such file, but it was indexed; restore it, or index the dataset again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); make it a file that you may read") from None
    if sha256 is not None and hashlib.sha256(content).hexdigest() != sha256:
        raise InputError(f"{path}: changed since it was indexed; run the workflow again: it indexes changed data first")
    return path, content


def read_image(file: File, to: Resize = None) -> NDArray[np.uint8]:
    """An image file as RGB (H, W, 3) uint8; see ``as_rgb``.

    Raises:
        InputError: the file is missing, changed or damaged, or its values are not integers of 8 or 16 bits.
    """
    bits = file.bits if isinstance(file, CheckedFile) else DEPTH
    path, content = read_bytes(file)
    return as_rgb(path, decode(path, content), to, bits)


def read_label(file: File, table: IdTable, size_wh: SizeWH | None = None) -> NDArray[np.uint8]:
    """A label file as trainIds (H, W) uint8, resized (nearest) to ``size_wh`` when given.

    Raises:
        InputError: the file is missing, changed or damaged, its pixels do not fit ``table``, or an id is not in it.
    """
    path, content = read_bytes(file)
    ids = decode_ids(path, content, table)
    if unknown := unknown_ids(ids, table):
        raise InputError(f"{path}: label ids {unknown} are not ids of this dataset; is it another format?")
    train_ids = table.train_ids[ids]
    if size_wh is not None and size_wh != (train_ids.shape[1], train_ids.shape[0]):
        return np.asarray(Image.fromarray(train_ids).resize(size_wh, Image.Resampling.NEAREST))
    return train_ids


def as_rgb(path: Path, image: Image.Image, to: Resize = None, bits: int = DEPTH) -> NDArray[np.uint8]:
    """An image as RGB (H, W, 3) uint8, upright as its EXIF orientation says, resized (bicubic) to ``to``.

    Grey is repeated in all three channels; alpha is dropped, and the colours under it are kept; 16-bit values keep
    the upper 8 of their ``bits``. ``path`` is for messages.

    Raises:
        InputError: values are not integers of 8 or 16 bits, or need more than ``bits``.
    """
    pixels = image
    if image.mode == "F":
        raise InputError(f"{path}: expected an image of 8 or 16 bits, but it holds floating-point numbers; convert it")
    if (highest := highest_value(image)) is not None:
        values = np.asarray(image)
        if values.min(initial=0) < 0 or highest > 65535:
            raise InputError(f"{path}: expected an image of 8 or 16 bits, but got 32-bit values; convert it")
        if highest >= 2**bits:
            raise InputError(f"{path}: holds the value {highest}, more than {bits} bits; correct `bits`")
        pixels = Image.fromarray((values >> (bits - 8)).astype(np.uint8))
    image = upright(pixels, image).convert("RGB")
    size_wh = resized_wh(image.size, to)
    if size_wh != image.size:
        image = image.resize(size_wh, Image.Resampling.BICUBIC)
    return np.asarray(image)


def highest_value(image: Image.Image) -> int | None:
    """The highest value of a grey image of 16 or 32 bits; ``None`` for any other image."""
    return int(np.asarray(image).max(initial=0)) if image.mode.startswith("I") else None
