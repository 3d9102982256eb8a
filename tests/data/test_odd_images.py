"""Images of other bands and bits than three and eight: their pixels, and the messages about the rest."""

import io
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, TiffImagePlugin

from esl.data.formats.build import format_named
from esl.data.images import CheckedFile, read_image
from esl.data.index import read_index
from esl.data.inspection import Inspection, inspect
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import sha256_of_file, write_json
from tests.configs import PROJECT
from tests.data.dataset_files import CITYSCAPES19


def _tiff(path: Path, bands: NDArray[np.generic]) -> Path:
    """Bands (H, W, N) as an uncompressed TIFF; Pillow writes three bands at most (TIFF 6.0)."""
    height, width, count = bands.shape
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    kind = 3 if bands.dtype.kind == "f" else 1
    bits = 8 * bands.dtype.itemsize
    values: dict[int, object] = {256: width, 257: height, 258: (bits,) * count, 259: 1, 262: 2, 277: count, 278: height}
    values |= {279: bands.nbytes, 284: 1, 339: (kind,) * count}
    if count > 3:
        values[338] = (0,) * (count - 3)
    for tag, value in values.items():
        tags[tag] = value
    tags[273] = 0  # the place of the pixels, counted from the end of the tags
    buffer = io.BytesIO()
    buffer.write(b"II*\0\x08\0\0\0")
    tags.save(buffer)
    path.write_bytes(buffer.getvalue() + bands.astype(bands.dtype.newbyteorder("<")).tobytes())
    return path


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("count", [3, 4])
def test_the_first_three_bands_of_a_tiff_are_read(tmp_path: Path, dtype: type, count: int) -> None:
    shift = 8 * (np.dtype(dtype).itemsize - 1)
    bands = np.random.default_rng(0).integers(0, 256, (3, 5, count))
    path = _tiff(tmp_path / "tile.tif", (bands << shift).astype(dtype))
    assert np.array_equal(read_image(path), bands[..., :3])


@pytest.mark.parametrize(("count", "dtype"), [(5, np.float32), (8, np.uint8)])
def test_a_tiff_of_more_bands_is_refused_with_their_number(
    tmp_path: Path, count: int, dtype: type, capfd: pytest.CaptureFixture[str]
) -> None:
    path = _tiff(tmp_path / "tile.tif", np.zeros((3, 5, count), dtype))
    expected = rf"tile\.tif: a TIFF of {count} band\(s\) in a form that is not read; save its red, green and blue band"
    with pytest.raises(InputError, match=expected):
        read_image(path)
    assert capfd.readouterr().err == ""


# ------------------------------------------------------------------------------------------------------ 12 bits in 16


def _thermal(root: Path, bits: int | None = None) -> Inspection:
    declaration = {"images": "."} | ({} if bits is None else {"bits": bits})
    checks = Checks(labels="optional")
    return inspect("thermal", format_named("thermal", declaration), root, "all", CITYSCAPES19, checks)


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_12_bits_in_16_are_reported_and_scaled_where_that_is_declared(tmp_path: Path, ending: str) -> None:
    values = np.array([[0, 16, 2048, 3498], [4095, 15, 1, 255]], np.uint16)
    Image.fromarray(values).save(tmp_path / f"a.{ending}")
    plain = _thermal(tmp_path)
    assert plain.defects == [] and plain.notes == [
        f"{tmp_path}: dark: no value of 1 image(s) of 16 bits is above 4095; if they have 12 bits, declare the dataset "
        "with `bits: 12` to scale them"
    ]
    (sample,) = plain.index.samples
    assert plain.index.read_image(sample)[..., 0].tolist() == (values >> 8).tolist()
    scaled = _thermal(tmp_path, 12)
    assert (scaled.defects, scaled.notes) == ([], [])
    assert scaled.index.read_image(sample)[..., 1].tolist() == [[0, 1, 128, 218], [255, 0, 0, 15]]
    write_json(tmp_path / "index.json", scaled.index.to_json())
    assert read_index(tmp_path / "index.json") == scaled.index
    assert scaled.index.fingerprint() != plain.index.fingerprint()
    assert scaled.index.image_fingerprint() != plain.index.image_fingerprint()


def test_images_that_use_their_16_bits_are_not_called_dark(tmp_path: Path) -> None:
    Image.fromarray(np.array([[3, 40000]], np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(np.array([[3, 4]], np.uint8)).save(tmp_path / "b.png")
    assert _thermal(tmp_path).notes == []


def test_dark_colours_of_16_bits_are_reported(tmp_path: Path, png_of_16_bits: Callable[..., bytes]) -> None:
    (tmp_path / "a.png").write_bytes(png_of_16_bits(np.full((4, 4, 3), 4095, np.uint16)))
    _tiff(tmp_path / "b.tif", np.full((3, 5, 3), 4000, np.uint16))
    for bits in (None, 12):  # which scales grey alone
        inspection = _thermal(tmp_path, bits)
        assert inspection.defects == [] and inspection.notes == [
            f"{tmp_path}: dark: no value of 2 colour image(s) of 16 bits is above 4095; `bits` scales grey alone: "
            "save them with 8 bits, scaled"
        ]
    _tiff(tmp_path / "b.tif", np.full((3, 5, 3), 40000, np.uint16))
    assert _thermal(tmp_path).notes == []


def test_a_value_of_more_bits_than_declared_is_a_defect(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(np.array([[3, 4096]], np.uint16)).save(path)
    assert _thermal(tmp_path, 12).defects == [f"{path}: holds the value 4096, more than 12 bits; correct `bits`"]
    assert read_image(CheckedFile(path, sha256_of_file(path), 13))[0, :, 2].tolist() == [0, 128]


# ---------------------------------------------------------------------------------------------------------- odd EXIF


def _exif(tag: int, kind: int) -> bytes:
    """EXIF with the orientation 6, stored lying on its left side, and one other tag of a wrong type (TIFF 6.0)."""
    entries = sorted([(0x0112, 3, b"\6\0\0\0"), (tag, kind, b"\x26\0\0\0")])
    rows = [struct.pack("<HHI", number, type_, 1) + value for number, type_, value in entries]
    return b"Exif\0\0II*\0\x08\0\0\0\x02\0" + b"".join(rows) + bytes(4) + struct.pack("<II", 4000, 1)


@pytest.mark.parametrize("ending", ["jpg", "webp"])
@pytest.mark.parametrize(
    ("tag", "kind"),
    [(0x0100, 5), (0x0101, 5), (0x0102, 2), (0x0106, 5), (0x010F, 5), (0x011C, 5), (0x0132, 11), (0x013F, 2)],
)
def test_an_image_is_read_upright_whatever_the_types_of_its_other_exif_tags(
    tmp_path: Path, ending: str, tag: int, kind: int
) -> None:
    path = tmp_path / f"IMG_0001.{ending}"
    grey = np.repeat(np.array([[20], [220]], np.uint8), 32, axis=1).repeat(8, axis=0)  # dark above, bright below
    Image.fromarray(grey).save(path, exif=_exif(tag, kind), quality=95)
    image = read_image(path)
    assert image.shape == (32, 16, 3)
    assert image[:, :4].min() > 180 and image[:, -4:].max() < 60  # turned clockwise by 90 degrees


def test_exif_without_a_sound_head_turns_nothing(tmp_path: Path) -> None:
    path = tmp_path / "IMG_0001.webp"
    Image.new("RGB", (32, 16)).save(path, exif=_exif(0x0132, 2).replace(b"II*", b"II\xfb"))
    assert read_image(path).shape == (16, 32, 3)


def test_exif_that_is_cut_before_the_orientation_turns_nothing_without_a_word(tmp_path: Path) -> None:
    """Every tool with Pillow reads it so; in a process of its own, since pytest replaces the filters of warnings."""
    path = tmp_path / "IMG_0001.jpg"
    Image.new("RGB", (32, 16)).save(path, exif=_exif(0x0100, 5).replace(b"\x26\0\0\0", b"\xff\xff\0\0"))
    code = "import sys, pathlib, esl.data.images as i; print(i.read_image(pathlib.Path(sys.argv[1])).shape)"
    run = subprocess.run([sys.executable, "-c", code, path], cwd=PROJECT, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("(16, 32, 3)\n", "")
