"""Hostile and damaged image files: always one error with the file's name."""

import io
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.data.decoding import MOST_PIXELS
from esl.data.images import read_image
from esl.data.png16 import SIGNATURE
from esl.errors import InputError
from tests.configs import PROJECT

PngOf16Bits = Callable[[NDArray[np.uint16]], bytes]


def chunk(kind: bytes, content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def png(width: int, height: int, depth: int, colour: int, data: bytes = b"") -> bytes:
    header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([depth, colour, 0, 0, 0])
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


def saved(format_: str, mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (24, 40, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).convert(mode).save(buffer, format=format_)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(60000, 60000, 8, 2), r"claims 60000x60000 pixels"),
        (png(0, 10, 8, 2), "not a readable image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n(x) print\n", "not a readable image"),
        (b"", r"not a readable image, but empty \(0 bytes, all zero\); obtain the file again"),
        (bytes(500), r"not a readable image, but empty \(500 bytes, all zero\); obtain the file again"),
        (
            b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12\n",
            "not a readable image, but a pointer of Git LFS .*git lfs pull",
        ),
        (b"/annex/objects/MD5E-s12--abc.png\n", "not a readable image, but a pointer of git-annex .*git annex get"),
        (b"\n<!DOCTYPE html><title>403</title>", "not a readable image, but a web page.*download the file again"),
        (
            b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40),
            "not a readable image, but HEIC or AVIF .*convert it to PNG or JPEG",
        ),
    ],
)
def test_a_file_that_is_no_image_is_refused_by_name_and_said_to_be_what_it_is(
    tmp_path: Path, content: bytes, expected: str
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"a.png: {expected}"):
        read_image(path)


def test_a_panorama_of_16384_pixels_is_within_the_limit_which_the_environment_can_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_PIXELS > 16384 * 8192
    path = tmp_path / "a.png"
    path.write_bytes(saved("PNG"))
    monkeypatch.setenv("ESL_MOST_PIXELS", "959")
    with pytest.raises(InputError, match=r"40x24 pixels, but at most 959 in all .* raise ESL_MOST_PIXELS in the env"):
        read_image(path)
    monkeypatch.setenv("ESL_MOST_PIXELS", "960")
    assert read_image(path).shape == (24, 40, 3)
    for wrong in ("many", "0", "-1", "1e9", "9" * 5000):
        monkeypatch.setenv("ESL_MOST_PIXELS", wrong)
        with pytest.raises(InputError, match="ESL_MOST_PIXELS: expected a number of pixels"):
            read_image(path)


def test_postscript_named_png_starts_no_other_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a program was started")

    for name in ("Popen", "check_call", "run"):
        monkeypatch.setattr(subprocess, name, refuse)
    path = tmp_path / "a.png"
    path.write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n%%EOF\n")
    with pytest.raises(InputError, match=r"a\.png: not a readable image of PNG, JPEG"):
        read_image(path)


def test_formats_that_no_dataset_comes_in_are_not_opened(tmp_path: Path) -> None:
    for format_ in ("GIF", "ICO", "PPM", "TGA"):
        (tmp_path / "a.png").write_bytes(saved(format_))
        with pytest.raises(InputError, match="not a readable image of PNG, JPEG, WEBP, BMP, TIFF"):
            read_image(tmp_path / "a.png")


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x02\0\0\0\x01abcd", b"Exif\0\0II*", b"Exif\0\0nonsense" * 9]
)
def test_a_damaged_orientation_turns_nothing(tmp_path: Path, exif: bytes) -> None:
    sound = Image.open(io.BytesIO(saved("JPEG")))
    sound.save(tmp_path / "a.jpg", exif=exif, quality=100)
    assert read_image(tmp_path / "a.jpg").shape == (24, 40, 3)


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "BMP", "TIFF"])
def test_a_mutated_image_is_read_or_refused_by_name(tmp_path: Path, format_: str) -> None:
    rng, sound, refused = np.random.default_rng(0), saved(format_), 0
    path = tmp_path / "a.png"
    for _ in range(200):
        content = bytearray(sound)
        for place in rng.integers(0, min(len(content), 300), 3):
            content[place] = rng.integers(256)
        path.write_bytes(content[: rng.integers(len(content) // 2, len(content) + 1)])
        try:
            assert read_image(path).dtype == np.uint8
        except InputError as error:
            refused += 1
            assert str(error).startswith(f"{path}: ")
    assert refused > 0


MUTATE = """
import sys
import numpy as np
from pathlib import Path
from esl.data.id_labels import deep_ids
from esl.errors import InputError
sound, rng, read = Path(sys.argv[1]).read_bytes(), np.random.default_rng(0), 0
for _ in range(300):
    content = bytearray(sound)
    content[rng.integers(8, len(content))] ^= 1 << rng.integers(8)
    try:
        deep_ids(Path("a.png"), bytes(content))
        read += 1
    except InputError:
        pass
print(read)
"""


def test_no_flipped_bit_of_a_16_bit_label_ends_the_interpreter(tmp_path: Path, png_of_16_bits: PngOf16Bits) -> None:
    """In a process of its own, since torchvision's decoder would end it; no flip passes the checksums."""
    (tmp_path / "label.png").write_bytes(png_of_16_bits(np.full((32, 48, 3), 7, np.uint16)))
    command = [sys.executable, "-W", "ignore", "-c", MUTATE, str(tmp_path / "label.png")]
    run = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, "0"), run.stderr


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(30000, 30000, 16, 2), "claims 30000x30000 pixels"),
        (png(4, 4, 16, 2, bytes(10)), "its data do not fill its size"),
        (png(4, 4, 16, 2, bytes([9] * 100)), "its data do not fill its size"),
        (SIGNATURE + bytes(16) + bytes([16, 2]) + bytes(30), "a wrong checksum"),
    ],
)
def test_a_16_bit_label_whose_header_lies_is_refused(
    tmp_path: Path, png_of_16_bits: PngOf16Bits, content: bytes, expected: str
) -> None:
    from esl.data.id_labels import deep_ids

    with pytest.raises(InputError, match=f"a.png: .*{expected}"):
        deep_ids(Path("a.png"), content)
