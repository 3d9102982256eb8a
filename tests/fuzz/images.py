"""The readers of images and labels."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from PIL import Image

from esl.classes import id_table
from esl.data import decoding
from esl.data.class_sets import CLASS_SETS
from esl.data.images import read_image, read_label
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS, TRAIN_ID_LABELS
from esl.data.label_tables.synthia import SYNTHIA_LABELS
from tests.data.conftest import encoded_16_bits
from tests.fuzz.harness import Reader
from tests.fuzz.mutations import damaged, png_edits

CLASSES = CLASS_SETS["cityscapes19"]
RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (16, 24, 3), dtype=np.uint8)
IDS = RNG.integers(0, 34, (16, 24), dtype=np.uint8)


def _encoded(image: Image.Image, format_: str, **options: Any) -> bytes:
    """The bytes of a file of an image."""
    file = io.BytesIO()
    image.save(file, format_, **options)
    return file.getvalue()


def _with_palette(ids: np.ndarray) -> Image.Image:
    image = Image.fromarray(ids)
    image.putpalette(CLASSES.palette())
    return image


def _bounded(read: Callable[[Path], Any]) -> Callable[[Path], Any]:
    """A reader that takes 16 megapixels at most: it does the same to larger images, and takes longer."""

    def bounded(path: Path) -> Any:
        with patch.object(decoding, "MOST_PIXELS", 2**24):
            return read(path)

    return bounded


def image_readers() -> Iterator[Reader]:
    """Every format that images come in, and every encoding that labels have."""
    image, grey = Image.fromarray(RGB), Image.fromarray(RGB[..., 0])
    deep = Image.fromarray(RGB[..., 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = 6
    pngs = [
        _encoded(image, "PNG", exif=exif),
        _encoded(deep, "PNG"),
        _encoded(_with_palette(IDS), "PNG", transparency=3),
        _encoded(image.convert("RGBA"), "PNG"),
        _encoded(grey.convert("1"), "PNG"),
        encoded_16_bits(RGB.astype(np.uint16) * 257),
    ]
    yield Reader("image, PNG", "image.png", pngs, _bounded(read_image), png_edits)
    others = {
        "JPEG": [
            _encoded(image, "JPEG", exif=exif),
            _encoded(image, "JPEG", progressive=True),
            _encoded(grey, "JPEG"),
            _encoded(image.convert("CMYK"), "JPEG"),
        ],
        "WEBP": [
            _encoded(image, "WEBP", exif=exif),
            _encoded(image.convert("RGBA"), "WEBP", lossless=True),
            _encoded(image, "WEBP", save_all=True, append_images=[image.rotate(180)]),
        ],
        "BMP": [_encoded(each, "BMP") for each in (image, _with_palette(IDS), grey, image.convert("1"))],
        "TIFF": [
            *(_encoded(image, "TIFF", compression=kind) for kind in (None, "tiff_lzw", "tiff_adobe_deflate", "jpeg")),
            _encoded(deep, "TIFF", compression="packbits"),
            _encoded(image.convert("1"), "TIFF", compression="group4"),
            _encoded(_with_palette(IDS), "TIFF"),
        ],
    }
    for format_, sound in others.items():
        yield Reader(f"image, {format_}", f"image.{format_.lower()}", sound, _bounded(read_image), damaged)
    ids = id_table(CITYSCAPES_LABELS, CLASSES)
    colours = id_table(TRAIN_ID_LABELS[:19], CLASSES, "colours")
    deep_ids = id_table(SYNTHIA_LABELS, CLASSES, "first_of_16_bits")
    few = IDS % 19
    coloured = _with_palette(few)
    three = np.stack([IDS % 23] * 3, axis=-1).astype(np.uint16)
    for name, table, sound in (
        ("ids", ids, [_encoded(Image.fromarray(IDS), "PNG"), _encoded(_with_palette(IDS), "PNG")]),
        ("colours", colours, [_encoded(coloured.convert("RGB"), "PNG"), _encoded(coloured, "PNG")]),
        ("16 bits", deep_ids, [encoded_16_bits(three), _encoded(Image.fromarray(IDS % 23), "PNG")]),
    ):

        def read(path: Path, table: Any = table) -> Any:
            return read_label(path, table, (12, 8))

        yield Reader(f"label, {name}", "label.png", sound, _bounded(read), png_edits)
