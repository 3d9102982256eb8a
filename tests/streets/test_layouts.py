"""The miniature's files: GTA5's and Cityscapes' layouts to the letter, whatever the number of workers."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import CITYSCAPES_LABELS, CLASS_SETS, GTA5_LABELS, id_table
from esl.datasets.formats import format_named
from esl.datasets.reading import read_label, read_picture
from esl.streets import render_street
from esl.streets.layouts import CITIES, cityscapes_streets, gta5_streets, synthia_streets, write_streets

SETTINGS = {"seed": 0, "width": 64, "height": 32, "shift": 1.0}


def _write(root: Path, workers: int = 1) -> Path:
    streets = [*gta5_streets(3), *cityscapes_streets("train", 4), *cityscapes_streets("val", 2)]
    pixels = write_streets(streets, root, **SETTINGS, workers=workers)
    assert pixels.sum() == 9 * 64 * 32
    return root


def _contents(root: Path) -> dict[str, bytes]:
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("miniature"))


def test_the_names_are_those_of_gta5_and_cityscapes(root: Path) -> None:
    first, second, third = CITIES["train"]
    stems = [f"train/{first}/{first}_000000_000019", f"train/{second}/{second}_000000_000019"]
    stems += [f"train/{third}/{third}_000000_000019", f"train/{first}/{first}_000001_000019"]
    stems += [f"val/{city}/{city}_000000_000019" for city in CITIES["val"]]
    expected = {f"gta5/{folder}/{number:05d}.png" for folder in ("images", "labels") for number in (1, 2, 3)}
    expected |= {f"cityscapes/leftImg8bit/{stem}_leftImg8bit.png" for stem in stems}
    expected |= {f"cityscapes/gtFine/{stem}_gtFine_labelIds.png" for stem in stems}
    assert set(_contents(root)) == expected


def test_no_city_is_in_both_splits() -> None:
    assert not set(CITIES["train"]) & set(CITIES["val"])
    assert all(city.isascii() and city.isalpha() and city.islower() for cities in CITIES.values() for city in cities)


def test_gta5_labels_are_indexed_with_the_palette_of_gta5(root: Path) -> None:
    with Image.open(root / "gta5/labels/00002.png") as image:
        palette = image.getpalette()
        assert (image.mode, image.size) == ("P", (64, 32))
        ids = np.asarray(image)
    assert palette is not None
    for label in GTA5_LABELS:
        if 3 * label.id < len(palette):  # Pillow reads no further than the entries that the file holds
            assert tuple(palette[3 * label.id : 3 * label.id + 3]) == label.colour
    assert len(palette) > 3 * int(ids.max())
    picture, expected = render_street("source", index=1, **SETTINGS)
    assert np.array_equal(ids, expected)
    with Image.open(root / "gta5/images/00002.png") as image:
        assert image.mode == "RGB" and np.array_equal(np.asarray(image), picture)


def test_cityscapes_labels_are_grey(root: Path) -> None:
    for path in (root / "cityscapes/gtFine").rglob("*.png"):
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("L", (64, 32))
    for path in (root / "cityscapes/leftImg8bit").rglob("*.png"):
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("RGB", (64, 32))


def test_train_and_val_share_no_scene() -> None:
    train, val = ({street.index for street in cityscapes_streets(split, 3000)} for split in ("train", "val"))
    assert not train & val


def test_the_files_do_not_depend_on_the_number_of_workers(root: Path, tmp_path: Path) -> None:
    assert _contents(_write(tmp_path, workers=2)) == _contents(root)


def test_the_source_laid_out_as_synthia_holds_the_same_scenes_in_16_bit_labels(root: Path, tmp_path: Path) -> None:
    write_streets([*synthia_streets(3)], tmp_path, **SETTINGS, workers=1)
    numbers = [f"{number:07d}" for number in range(3)]
    expected = {f"synthia/RGB/{number}.png" for number in numbers}
    assert set(_contents(tmp_path)) == expected | {f"synthia/GT/LABELS/{number}.png" for number in numbers}
    synthia16 = CLASS_SETS["synthia16"]
    samples = format_named("synthia").find(tmp_path / "synthia", "all")
    assert [sample.id for sample in samples] == numbers
    for number, sample in enumerate(samples):
        assert sample.picture is not None and sample.label is not None
        assert sample.label.read_bytes()[24:26] == bytes([16, 2])  # 16 bits, RGB
        assert np.array_equal(read_picture(sample.picture), read_picture(root / f"gta5/images/{number + 1:05d}.png"))
        _, ids = render_street("source", index=number, **SETTINGS)
        train_ids = id_table(CITYSCAPES_LABELS, synthia16).train_ids[ids]
        assert np.array_equal(read_label(sample.label, format_named("synthia").table(synthia16)), train_ids)
