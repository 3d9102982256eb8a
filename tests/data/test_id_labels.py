"""Label files as tools save them: unambiguous ids are read, all others refused by name."""

import io
import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import Encoding, Label, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.id_labels import has_grey_palette, plain_ids
from esl.data.images import read_image
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from tests.data.dataset_files import read_ids
from tests.data.test_decoding import png

PngOf16Bits = Callable[[NDArray[np.uint16]], bytes]
IDS = np.array([[0, 1, 2, 3], [3, 2, 1, 0]], dtype=np.uint8)
FIRST = np.array([[0, 1, 1, 0]], dtype=np.uint8)


def _saved(array: NDArray[np.generic], format_: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, format=format_, **options)
    return buffer.getvalue()


def _channels(red: NDArray[np.uint8], green: int, blue: int, alpha: int = 255) -> NDArray[np.uint8]:
    return np.stack([red, *(np.full_like(red, value) for value in (green, blue, alpha))], axis=-1)


def _read(path: Path, content: bytes, encoding: Encoding = "ids") -> NDArray[np.uint8]:
    path.write_bytes(content)
    labels = [Label(id_, "road", colour=(id_, 0, 0)) for id_ in range(4)]
    return read_ids(path, id_table(labels, CLASS_SETS["cityscapes19"], encoding))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (_saved(FIRST.astype(bool)), FIRST),
        (_saved(FIRST.astype(bool), "TIFF"), FIRST),
        (png(4, 1, 1, 0, bytes([0, 0b01100000])), FIRST),
        (png(4, 2, 2, 0, bytes([0, 0b00011011, 0, 0b11100100])), IDS),
        (png(4, 2, 4, 0, bytes([0, 0x01, 0x23, 0, 0x32, 0x10])), IDS),
        (_saved(IDS.astype(np.uint16)), IDS),
        (_saved(IDS.astype(np.uint16), "TIFF"), IDS),
        (_saved(IDS.astype(np.int32), "TIFF"), IDS),
        (_saved(np.stack([IDS] * 3, -1)), IDS),
        (_saved(np.stack([IDS] * 3 + [np.full_like(IDS, 255)], -1)), IDS),
        (_saved(np.stack([IDS, np.full_like(IDS, 255)], -1)), IDS),
        (_saved(IDS, "BMP"), IDS),
        (_saved(np.stack([IDS] * 3, -1), "WEBP", lossless=True), IDS),
    ],
)
def test_ids_are_read_however_they_are_saved(tmp_path: Path, content: bytes, expected: NDArray[np.uint8]) -> None:
    ids = _read(tmp_path / "label.png", content)
    assert ids.dtype == np.uint8 and ids.tolist() == expected.tolist()


def test_an_image_of_2_bits_is_still_stretched_to_the_whole_range(tmp_path: Path) -> None:
    (tmp_path / "image.png").write_bytes(png(4, 1, 2, 0, bytes([0, 0b00011011])))
    assert read_image(tmp_path / "image.png")[0, :, 0].tolist() == [0, 85, 170, 255]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (_saved(_channels(IDS, 3, 7)), "but got mode RGBA; a colour image holds no ids"),
        (_saved(_channels(IDS, 3, 7)[..., :3]), "but got mode RGB; a colour image holds no ids"),
        (_saved(_channels(IDS, 0, 0)), "only the red channel holds values, as CARLA saves ids; add `channel: red`"),
        (_saved(np.full((2, 2), 26001, np.uint16)), "holds the id 26001, but expected ids from 0 to 255"),
        (_saved(np.full((2, 2), -1, np.int32), "TIFF"), "holds the id -1, but expected ids from 0 to 255"),
        (_saved(np.ones((2, 2), np.float32), "TIFF"), "but got mode F"),
        (_saved(IDS, "JPEG", quality=95), "a label saved with loss (JPEG)"),
        (_saved(np.stack([IDS] * 3, -1), "WEBP"), "a label saved with loss (WEBP)"),
        (_saved(np.stack([IDS] * 3, -1), "TIFF", compression="jpeg"), "a label saved with loss (TIFF)"),
    ],
)
def test_pixels_that_hold_no_ids_are_refused_by_name(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=rf"label\.png: .*{re.escape(message)}"):
        _read(tmp_path / "label.png", content)


@pytest.mark.parametrize("array", [IDS, IDS.astype(np.uint16)])
def test_a_tiff_whose_0_is_white_is_refused_since_its_ids_could_be_meant_inverted(
    tmp_path: Path, array: NDArray[np.generic]
) -> None:
    content = _saved(array, "TIFF")
    tag = struct.pack("<HHIH", 262, 3, 1, 1)  # PhotometricInterpretation: 0 is black (TIFF 6.0)
    assert tag in content
    with pytest.raises(InputError, match=r"label\.png: a TIFF with 0 as white: .*save the labels as PNG"):
        _read(tmp_path / "label.png", content.replace(tag, tag[:-2] + bytes(2)))


def test_a_grey_bmp_of_4_bits_is_refused(tmp_path: Path) -> None:
    """Pillow takes its halves of bytes for bytes."""
    palette = b"".join(bytes([grey, grey, grey, 0]) for grey in range(16))
    head = b"BM" + struct.pack("<IHHI", 122, 0, 0, 118)
    content = head + struct.pack("<IiiHHIIiiII", 40, 4, 1, 1, 4, 0, 4, 0, 0, 16, 0) + palette + b"\x01\x23\0\0"
    with pytest.raises(InputError, match=r"label\.png: a grey BMP of 4 bits.*save the labels as PNG"):
        _read(tmp_path / "label.png", content)


@pytest.mark.parametrize(
    ("greys", "odd"),
    [([7, 26, 11], True), ([7], True), ([0, 50, 100], True), ([0, 1, 2], False), ([0, 255], False), ([255, 0], False)],
)
def test_labels_whose_palette_holds_greys_are_mentioned(tmp_path: Path, greys: list[int], odd: bool) -> None:
    image = Image.fromarray(np.arange(len(greys), dtype=np.uint8)[None])
    image.putpalette([grey for grey in greys for _ in range(3)])
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
        image.save(tmp_path / folder / "00001.png")
    ids: dict[object, object] = {0: "road", 1: "car", 2: "sky"}
    declared = format_named("mine", {"images": "images", "labels": [{"files": "labels", "ids": ids}]})
    inspection = inspect("mine", declared, tmp_path, "all", CLASS_SETS["cityscapes19"], Checks())
    (sample,) = inspection.sound_index().samples
    assert inspection.index.read_label(sample).tolist() == [[0, 13, 10][: len(greys)]]
    assert [note.startswith(f"{tmp_path}: 1 label(s) have a palette of greys") for note in inspection.notes] == [
        True
    ] * odd


def test_palettes_of_colours_and_other_files_have_no_grey_palette() -> None:
    image = Image.fromarray(IDS)
    image.putpalette([0, 0, 0, 128, 64, 128, 244, 35, 232, 70, 70, 70])
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert not any(map(has_grey_palette, (buffer.getvalue(), _saved(IDS), _saved(IDS, "BMP"), b"")))


def test_colours_of_16_bits_are_refused_since_their_low_bytes_would_be_lost(png_of_16_bits: PngOf16Bits) -> None:
    content = png_of_16_bits(np.stack([IDS.astype(np.uint16)] * 3, -1))
    with pytest.raises(InputError, match=r"label\.png: expected a label of 8-bit ids .*but got mode RGB of 16 bits"):
        plain_ids(Path("label.png"), content)


def test_ids_in_the_red_channel_are_read_where_that_is_declared(tmp_path: Path) -> None:
    for array in (_channels(IDS, 0, 0), _channels(IDS, 12, 200), _channels(IDS, 12, 200)[..., :3]):
        assert np.array_equal(_read(tmp_path / "label.png", _saved(array), "red"), IDS)
    with pytest.raises(InputError, match=r"label\.png: expected RGB of 8 bits .*mode L of 8 bits; leave out `channel`"):
        _read(tmp_path / "label.png", _saved(IDS), "red")
    with pytest.raises(InputError, match="saved with loss"):
        _read(tmp_path / "label.png", _saved(_channels(IDS, 0, 0)[..., :3], "JPEG"), "red")


def test_colours_saved_with_loss_are_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"label\.png: a label saved with loss \(JPEG\).*export .* again as PNG"):
        _read(tmp_path / "label.png", _saved(_channels(IDS, 0, 0)[..., :3], "JPEG"), "colours")
