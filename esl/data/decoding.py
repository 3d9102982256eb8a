"""The bytes of an image file decoded, whatever they are: to an image, or to one error that names the file.

Only the decoders of formats that datasets come in are used, so no file is opened by content alone as something that
starts another program (PostScript does); pixels are bounded before anything is decoded.
"""

import io
import logging
import os
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin, UnidentifiedImageError

from esl.errors import InputError, message, one_line

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow's names of the formats that are read."""

MOST_PIXELS = 2**28
"""The largest image, 268 megapixels, unless ``LIMIT`` says otherwise: a panorama of 16384x8192 has half as many."""

LIMIT = "ESL_MOST_PIXELS"
"""The environment variable with another number of pixels; it changes no result, only what is refused."""

ORIENTATION = 0x0112
"""The EXIF tag of the orientation (CIPA DC-008, 4.6.4)."""

SAMPLES_PER_PIXEL = 277
"""The TIFF tag of the number of bands."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation -> what makes the image upright."""

SIGNATURE = b"\x89PNG\r\n\x1a\n"

logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)  # it logs what decode() says by file name
warnings.filterwarnings("ignore", module=r"PIL\.")  # of odd tags, without the file's name: see upright()
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit, 179 megapixels, is replaced by ours


def decode(path: Path, content: bytes) -> Image.Image:
    """The image in ``content``; ``path`` is for messages.

    Raises:
        InputError: it is no image of ``FORMATS``, truncated, damaged, or larger than ``MOST_PIXELS`` or ``LIMIT``.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            _check_size(path, *image.size)
            image.load()
            image.info.pop("transparency", None)  # nothing reads it, and a damaged one makes conversions fail
            return image
    except InputError:
        raise
    except UnidentifiedImageError:
        if (bands := _bands(content)) is not None:
            cure = message(
                "save it as PNG" if bands < 4 else "save its red, green and blue band as an image of 8 or 16 bits"
            )
            raise InputError(f"{path}: a TIFF of {bands} band(s) in a form that is not read; {cure}") from None
        raise InputError(f"{path}: {_instead(content)}") from None
    except Exception as error:  # Pillow's decoders raise anything for a damaged file
        raise InputError(f"{path}: not a readable image ({one_line(error)}); obtain the file again") from None


def upright(image: Image.Image, original: Image.Image) -> Image.Image:
    """``image`` turned as the EXIF orientation of ``original`` says; a damaged orientation turns nothing."""
    try:
        orientation = original.getexif().get(ORIENTATION)
    except Exception:  # so do its readers of EXIF
        orientation = None
    turn = TURNS.get(orientation or _orientation(original.info.get("exif", b"")))
    return image if turn is None else image.transpose(turn)


def _orientation(exif: bytes) -> int:
    """The orientation in the first directory of EXIF whose other tags are damaged, where Pillow stops; 1: none."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 1
    with suppress(struct.error):
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, _, value = struct.unpack_from(f"{order}HHIH", exif, place)
            if (tag, kind) == (ORIENTATION, 3):
                return int(value)
    return 1


def has_16_bit_channels(content: bytes) -> bool:
    """Whether a file is a PNG of 16-bit RGB, by its header (PNG specification, 11.2.2)."""
    return content.startswith(SIGNATURE) and content[24:26] == bytes([16, 2])


def first_of_16_bits(path: Path, content: bytes) -> NDArray[np.uint16]:
    """The first channel (H, W) of a PNG of 16-bit RGB. Pillow silently drops the low byte of each and returns zeros.

    Raises:
        InputError: the file is damaged: torchvision's decoder ends the interpreter on some of these, so that checksums
            and sizes are compared first.
    """
    _check_png(path, content)
    import torch  # takes seconds to import; only SYNTHIA needs it
    from torchvision.io import ImageReadMode, decode_image

    encoded = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    try:
        ids: NDArray[np.uint16] = decode_image(encoded, ImageReadMode.UNCHANGED)[0].numpy()
    except RuntimeError as error:
        raise InputError(f"{path}: not a readable image ({one_line(error)}); obtain the file again") from None
    return ids


def _instead(content: bytes) -> str:
    """What a file is that none of the decoders knows, and what to do about it."""
    start = content[:200].lstrip().lower()
    if not content.strip(b"\0"):
        return message(f"not a readable image, but empty ({len(content)} bytes, none but zeros); obtain the file again")
    if start.startswith(b"version https://git-lfs"):
        return message("not a readable image, but a pointer of Git LFS to it; run `git lfs pull` in its folder")
    if b"annex/objects/" in start:
        return message(
            "not a readable image, but a pointer of git-annex to it; run `git annex get` (`datalad get`) on it"
        )
    if start.startswith((b"<!doctype html", b"<html")):
        return message(
            "not a readable image, but a web page, as a download without a login gives; download the file again"
        )
    if content[4:8] == b"ftyp":  # ISO/IEC 14496-12, 4.3
        return message("not a readable image, but HEIC or AVIF under another name; convert it to PNG or JPEG")
    return message(f"not a readable image of {', '.join(FORMATS)}; convert it")


def _bands(content: bytes) -> int | None:
    """The bands of a TIFF by its tags (TIFF 6.0, SamplesPerPixel); ``None`` for what is no TIFF."""
    file = io.BytesIO(content)
    try:
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        return int(tags.get(SAMPLES_PER_PIXEL, 1))
    except Exception:  # Pillow's readers raise anything for a damaged file
        return None


def _check_size(path: Path, width: int, height: int) -> None:
    """InputError for an image without pixels or with too many."""
    limit = os.environ.get(LIMIT, str(MOST_PIXELS))
    if re.fullmatch("[1-9][0-9]{,14}", limit) is None:
        raise InputError(f"{LIMIT}: expected a number of pixels, but got {limit!r}; correct the environment variable")
    if not 0 < width * height <= int(limit):
        raise InputError(
            f"{path}: claims {width}x{height} pixels, but at most {int(limit):,} in all are read; cut or shrink it, or "
            f"raise {LIMIT} in the environment"
        )


def _check_png(path: Path, content: bytes) -> None:
    """InputError unless a PNG of 16-bit RGB has sound checksums, a size in bounds, and as much data as that takes."""
    try:
        parts = list(chunks(content))
        header = parts[0][1]
        width, height = (int.from_bytes(header[place : place + 4], "big") for place in (0, 4))
        sound = parts[0][0] == b"IHDR" and len(header) == 13 and header[10:] == bytes(3) and parts[-1][0] == b"IEND"
    except (IndexError, ValueError):
        sound, width, height = False, 1, 1
    if not sound:
        raise InputError(
            f"{path}: not a readable image (a checksum fails, it is cut short or interlaced); obtain the file again"
        )
    _check_size(path, width, height)
    expected = height * (1 + 6 * width)
    unpack = zlib.decompressobj()
    try:
        data = unpack.decompress(b"".join(data for kind, data in parts if kind == b"IDAT"), expected + 1)
    except zlib.error as error:
        raise InputError(f"{path}: not a readable image ({one_line(error)}); obtain the file again") from None
    filters = data[:: 1 + 6 * width]
    if len(data) != expected or not unpack.eof or max(filters) > 4:
        raise InputError(f"{path}: not a readable image (its data do not fill its size); obtain the file again")


def chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and data of every chunk of a PNG; ValueError for a checksum that fails or a chunk that is cut."""
    place = len(SIGNATURE)
    while place < len(content):
        length = int.from_bytes(content[place : place + 4], "big")
        body, check = content[place + 4 : place + 8 + length], content[place + 8 + length : place + 12 + length]
        if len(check) < 4 or zlib.crc32(body) != int.from_bytes(check, "big"):
            raise ValueError("damaged chunk")
        yield body[:4], body[4:]
        place += 12 + length
