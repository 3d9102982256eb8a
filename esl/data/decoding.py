"""Decodes the bytes of an image file to an image of Pillow, or raises one error with the file's name.

Only ``FORMATS`` are tried, so no content starts another program, as PostScript does. The number of pixels is checked
before any of them is decoded.
"""

import io
import logging
import os
import re
import warnings
from pathlib import Path

from PIL import ExifTags, Image, UnidentifiedImageError

from esl.data.notes import not_an_image
from esl.errors import InputError, one_line

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
"""Pillow's names of the supported formats."""

MOST_PIXELS = 2**28
"""The largest image, 268 megapixels, unless ``LIMIT`` says otherwise: a panorama of 16384x8192 has half as many."""

LIMIT = "ESL_MOST_PIXELS"
"""The environment variable with another limit in pixels; it changes no result."""

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""EXIF orientation (CIPA DC-008, 4.6.4) -> the operation to make the image upright."""

logging.getLogger("PIL.TiffImagePlugin").setLevel(logging.CRITICAL)  # decode() reports these errors, by file name
warnings.filterwarnings("ignore", module=r"PIL\.")  # about odd tags, without the file's name: see upright()
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit, 179 megapixels, is replaced by ours


def decode(path: Path, content: bytes) -> Image.Image:
    """The image in ``content``; ``path`` is for messages.

    Raises:
        InputError: the format is not one of ``FORMATS``, or the file is truncated, damaged, or larger than ``LIMIT``
            or ``MOST_PIXELS``.
    """
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            check_size(path, *image.size)
            image.load()
            image.info.pop("transparency", None)  # unused, and a damaged one makes conversions fail
            return image
    except InputError:
        raise
    except UnidentifiedImageError:
        raise InputError(f"{path}: {not_an_image(content, FORMATS)}") from None
    except Exception as error:  # Pillow's decoders raise anything for a damaged file
        raise InputError(f"{path}: not a readable image ({one_line(error)}); obtain the file again") from None


def upright(image: Image.Image, original: Image.Image) -> Image.Image:
    """``image`` turned by the EXIF orientation of ``original``; unchanged if Pillow cannot read an orientation.

    ``ImageOps.exif_transpose`` would also write the other tags again, and fail if one of them has a wrong type.
    """
    try:
        turn = TURNS.get(original.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # Pillow's reader of EXIF raises anything, too
        return image
    return image if turn is None else image.transpose(turn)


def check_size(path: Path, width: int, height: int) -> None:
    """InputError for an image without pixels or with too many."""
    limit = os.environ.get(LIMIT, str(MOST_PIXELS))
    if re.fullmatch("[1-9][0-9]{,14}", limit) is None:
        raise InputError(f"{LIMIT}: expected a number of pixels, but got {limit!r}; correct the environment variable")
    if not 0 < width * height <= int(limit):
        raise InputError(
            f"{path}: claims {width}x{height} pixels, but at most {int(limit):,} in all are read; cut or shrink it, or "
            f"raise {LIMIT} in the environment"
        )
