"""Images and labels from files: written pixels are read back, and wrong files are refused by name."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import id2label
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.id_labels import unknown_ids
from esl.data.images import read_image, read_label
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.data.label_tables.synthia import SYNTHIA_LABELS
from esl.errors import InputError
from tests.data.dataset_files import read_ids

PngOf16Bits = Callable[[NDArray[np.uint16]], bytes]
CITYSCAPES19 = CLASS_SETS["cityscapes19"]
CITYSCAPES = id_table(CITYSCAPES_LABELS, CITYSCAPES19)
GTA5 = id_table(GTA5_LABELS, CITYSCAPES19)
SYNTHIA = id_table(SYNTHIA_LABELS, CLASS_SETS["synthia16"], "first_of_16_bits")


def _save_palette_png(path: Path, ids: NDArray[np.uint8]) -> None:
    """A label in GTA5's form: indexed, in the colours of the ids."""
    image = Image.fromarray(ids)
    image.putpalette([channel for label in GTA5_LABELS for channel in label.colour])
    assert image.mode == "P"
    image.save(path)


def test_a_palette_label_reads_as_its_indices_and_not_its_colours(tmp_path: Path) -> None:
    ids = np.arange(35, dtype=np.uint8).reshape(5, 7)
    _save_palette_png(tmp_path / "00001.png", ids)
    assert np.array_equal(read_ids(tmp_path / "00001.png", GTA5), ids)
    expected = [label.train_id for label in GTA5_LABELS]
    assert read_label(tmp_path / "00001.png", GTA5).ravel().tolist() == expected


def test_a_grey_label_reads_as_its_train_ids(tmp_path: Path) -> None:
    ids = np.array([[7, 8, 0], [33, 26, 29]], dtype=np.uint8)
    Image.fromarray(ids).save(tmp_path / "label.png")
    label = read_label(tmp_path / "label.png", CITYSCAPES)
    assert label.tolist() == [[0, 1, IGNORE], [18, 13, IGNORE]]
    assert label.dtype == np.uint8


def test_a_resized_label_takes_the_nearest_pixel_and_invents_no_id(tmp_path: Path) -> None:
    ids = np.array([[7, 11], [23, 26]], dtype=np.uint8)
    Image.fromarray(ids).save(tmp_path / "label.png")
    twice = read_label(tmp_path / "label.png", CITYSCAPES, (4, 4))
    assert twice.tolist() == np.kron([[0, 2], [10, 13]], np.ones((2, 2), int)).tolist()
    odd = read_label(tmp_path / "label.png", CITYSCAPES, (7, 3))
    assert odd.shape == (3, 7) and set(odd.ravel()) <= {0, 2, 10, 13}


def test_an_image_keeps_its_pixels_unless_a_size_is_asked_for(tmp_path: Path) -> None:
    image = np.random.default_rng(0).integers(0, 256, (6, 10, 3), dtype=np.uint8)
    Image.fromarray(image).save(tmp_path / "image.png")
    assert np.array_equal(read_image(tmp_path / "image.png"), image)
    assert np.array_equal(read_image(tmp_path / "image.png", (10, 6)), image)
    assert read_image(tmp_path / "image.png", (5, 3)).shape == (3, 5, 3)


def test_a_longer_side_keeps_the_aspect_ratio_of_an_image(tmp_path: Path) -> None:
    for name, size_hw in (("wide", (20, 40)), ("upright", (40, 20))):
        Image.fromarray(np.zeros((*size_hw, 3), np.uint8)).save(tmp_path / f"{name}.png")
    assert read_image(tmp_path / "wide.png", 10).shape == (5, 10, 3)
    assert read_image(tmp_path / "upright.png", 10).shape == (10, 5, 3)


# the corners of an image, 3 wide and 2 high, by the EXIF orientation that it is stored with (TIFF 6.0, tag 274)
UPRIGHT = {1: (0, 2, 3, 5), 2: (2, 0, 5, 3), 3: (5, 3, 2, 0), 4: (3, 5, 0, 2), 6: (3, 0, 5, 2), 8: (2, 5, 0, 3)}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("name", ["a.png", "a.tif", "grey16.png"])
def test_an_image_is_read_upright_as_its_exif_orientation_says(tmp_path: Path, name: str, orientation: int) -> None:
    values = np.arange(6).reshape(2, 3)
    image = Image.fromarray(
        (values << 8).astype(np.uint16) if "16" in name else np.stack([values] * 3, -1).astype(np.uint8)
    )
    exif = Image.Exif()
    exif[274] = orientation
    image.save(tmp_path / name, exif=exif)
    image = read_image(tmp_path / name)
    corners = (image[0, 0], image[0, -1], image[-1, 0], image[-1, -1])
    assert tuple(int(corner[0]) for corner in corners) == UPRIGHT[orientation]
    assert image.shape == ((3, 2, 3) if orientation > 4 else (2, 3, 3))


def test_a_photograph_that_a_phone_took_upright_is_taller_than_wide(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (32, 16), (200, 10, 10)).save(tmp_path / "IMG_0001.JPG", exif=exif)
    assert read_image(tmp_path / "IMG_0001.JPG").shape == (32, 16, 3)


def test_grey_alpha_palette_and_16_bits_become_rgb_of_8_bits_as_documented(
    tmp_path: Path, png_of_16_bits: PngOf16Bits
) -> None:
    grey = np.array([[0, 100, 255]], dtype=np.uint8)
    rgba = np.array([[[1, 2, 3, 0], [4, 5, 6, 128], [7, 8, 9, 255]]], dtype=np.uint8)
    wide = np.array([[0, 0x1234, 0xFFFF]], dtype=np.uint16)
    for name, array in (("grey", grey), ("rgba", rgba), ("grey16", wide)):
        Image.fromarray(array).save(tmp_path / f"{name}.png")
    Image.fromarray(wide).save(tmp_path / "grey16.tif")
    (tmp_path / "rgb16.png").write_bytes(png_of_16_bits(np.stack([wide, wide, wide], -1)))
    Image.fromarray(rgba).convert("RGB").quantize(3).save(tmp_path / "palette.png")
    assert read_image(tmp_path / "grey.png")[0].tolist() == [[0] * 3, [100] * 3, [255] * 3]
    for name in ("rgba", "palette"):
        assert read_image(tmp_path / f"{name}.png")[0].tolist() == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    for name in ("grey16.png", "grey16.tif", "rgb16.png"):
        assert read_image(tmp_path / name)[0].tolist() == [[0] * 3, [0x12] * 3, [255] * 3]


def test_an_image_of_floating_point_numbers_is_refused_by_name(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((2, 2), np.float32)).save(tmp_path / "depth.tif")
    with pytest.raises(InputError, match=r"depth\.tif: expected an image of 8 or 16 bits"):
        read_image(tmp_path / "depth.tif")


@pytest.mark.parametrize(
    ("ids", "unknown"),
    [([7, 33], []), ([7, 34, 33, 34], [34]), ([255, 40, 0], [40, 255]), ([34], [34])],
)
def test_ids_that_the_format_does_not_define_are_refused_by_number(
    tmp_path: Path, ids: list[int], unknown: list[int]
) -> None:
    array = np.array([ids], dtype=np.uint8)
    assert unknown_ids(array, CITYSCAPES) == unknown
    Image.fromarray(array).save(tmp_path / "label.png")
    if unknown:
        with pytest.raises(InputError, match=rf"label\.png: label ids \[{', '.join(map(str, unknown))}\]"):
            read_label(tmp_path / "label.png", CITYSCAPES)


@given(st.floats(0, 1))
def test_a_truncated_png_is_refused_by_name_or_has_lost_only_its_end_mark(
    tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    path = tmp_path_factory.mktemp("truncated") / "label.png"
    ids = np.random.default_rng(0).integers(0, 34, (32, 32), dtype=np.uint8)
    Image.fromarray(ids).save(path)
    whole = path.read_bytes()
    left = int(share * len(whole))
    path.write_bytes(whole[:left])
    if left < len(whole) - 30:  # the check sums of the pixels and the end mark
        with pytest.raises(InputError, match=r"label\.png: not a readable image"):
            read_ids(path, CITYSCAPES)
        with pytest.raises(InputError, match=r"label\.png: not a readable image"):
            read_image(path)
    else:
        try:
            read = read_ids(path, CITYSCAPES)
        except InputError:
            return
        assert np.array_equal(read, ids)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x89PNG\r\n\x1a\n"])
def test_a_file_that_is_not_an_image_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "image.png").write_bytes(content)
    with pytest.raises(InputError, match=r"image\.png: not a readable image"):
        read_image(tmp_path / "image.png")


def test_a_missing_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.png: no such file"):
        read_image(tmp_path / "none.png")


def test_a_real_label_reads_as_cityscapesscripts_maps_it_and_as_its_own_train_ids_do(real_cityscapes: Path) -> None:
    folder = real_cityscapes / "gtFine" / "val" / "frankfurt"
    path = folder / "frankfurt_000000_000294_gtFine_labelIds.png"
    ours, ids = read_label(path, CITYSCAPES), np.asarray(Image.open(path))
    assert np.array_equal(ours, np.vectorize(lambda id_: id2label[id_].trainId)(ids))
    # The frame's two label files disagree: 77 of 32768 pixels, all but one at class borders (as if scaled apart), fit
    # no table of ids at all. Within each raw id the most frequent trainId still has to be ours.
    shipped = np.asarray(Image.open(folder / "frankfurt_000000_000294_gtFine_labelTrainIds.png"))
    assert int((ours != shipped).sum()) == 77
    for id_ in np.unique(ids):
        assert np.bincount(shipped[ids == id_]).argmax() == CITYSCAPES.train_ids[id_]
    assert len(np.unique(ids)) == 14


def test_synthias_16_bit_labels_read_as_the_first_channel(tmp_path: Path, png_of_16_bits: PngOf16Bits) -> None:
    channels = np.zeros((3, 8, 3), dtype=np.uint16)
    channels[..., 0] = np.arange(24).reshape(3, 8) % 23
    channels[..., 1] = 300 + np.arange(24).reshape(3, 8)  # instances: above a byte, and no business of ours
    path = tmp_path / "0000001.png"
    path.write_bytes(png_of_16_bits(channels))
    assert not np.asarray(Image.open(path))[..., 0].any()  # why Pillow must not read it
    assert np.array_equal(read_ids(path, SYNTHIA), channels[..., 0])
    assert np.array_equal(read_label(path, SYNTHIA), SYNTHIA.train_ids[channels[..., 0]])


def test_synthias_labels_of_8_bits_read_too(tmp_path: Path) -> None:
    ids = np.arange(23, dtype=np.uint8).reshape(1, 23)
    Image.fromarray(ids).save(tmp_path / "a.png")
    assert np.array_equal(read_ids(tmp_path / "a.png", SYNTHIA), ids)


def test_a_16_bit_label_is_refused_where_ids_have_8_and_when_it_is_damaged(
    tmp_path: Path, png_of_16_bits: PngOf16Bits
) -> None:
    channels = np.full((20, 30, 3), 5, dtype=np.uint16)
    path = tmp_path / "0000001.png"
    path.write_bytes(png_of_16_bits(channels))
    with pytest.raises(InputError, match=r"0000001\.png: expected a label of 8-bit ids"):
        read_ids(path, CITYSCAPES)
    path.write_bytes(png_of_16_bits(channels)[:60])
    with pytest.raises(InputError, match=r"0000001\.png: not a readable image"):
        read_ids(path, SYNTHIA)
    channels[3, 3, 0] = 700
    path.write_bytes(png_of_16_bits(channels))
    with pytest.raises(InputError, match=r"0000001\.png: holds ids up to 700"):
        read_ids(path, SYNTHIA)
    Image.new("RGB", (2, 2), (70, 130, 180)).save(tmp_path / "colour.png")
    with pytest.raises(InputError, match=r"colour\.png: expected a label of 8-bit ids"):
        read_ids(tmp_path / "colour.png", SYNTHIA)
    with pytest.raises(InputError, match=r"none\.png: no such file"):
        read_ids(tmp_path / "none.png", SYNTHIA)
