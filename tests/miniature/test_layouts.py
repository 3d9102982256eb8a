"""The miniature's files: the official layouts to the letter, for any number of workers."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.images import read_image
from esl.data.inspection import inspect
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.data.settings import Checks
from miniature.dataset import render_miniature
from miniature.layouts import CITIES, SCENES, cityscapes_scenes
from miniature.render import render_street
from miniature.settings import Layout, MiniatureSettings

SETTINGS = MiniatureSettings(width=64, height=32, source=3, target_train=5, target_val=2, shift=1.0)


def _write(root: Path, workers: int = 1) -> Path:
    for layout in SCENES:
        render_miniature(root / layout, layout, SETTINGS, seed=0, workers=workers)
    return root


def _contents(root: Path) -> dict[str, bytes]:
    files = (path for path in root.rglob("*") if path.is_file() and not path.name.startswith("."))
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _write(tmp_path_factory.mktemp("miniature"))


def test_the_file_names_are_those_of_the_datasets(root: Path) -> None:
    towns, (first, second) = CITIES["train"], CITIES["val"]
    stems = [f"train/{towns[n % 3]}/{towns[n % 3]}_{n // 3:06d}_000019" for n in range(5)]
    stems += [f"val/{city}/{city}_000000_000019" for city in (first, second)]
    expected = {f"gta5/{folder}/{number:05d}.png" for folder in ("images", "labels") for number in (1, 2, 3)}
    expected |= {name.replace("gta5/", "varied/") for name in expected}
    expected |= {f"synthia/{folder}/{number:07d}.png" for folder in ("RGB", "GT/LABELS") for number in range(3)}
    expected |= {f"cityscapes/leftImg8bit/{stem}_leftImg8bit.png" for stem in stems}
    expected |= {f"cityscapes/gtFine/{stem}_gtFine_labelIds.png" for stem in stems}
    files = {name for name in _contents(root) if "/" in name}
    vistas = {name for name in files if name.startswith("mapillary/")}
    assert files - vistas == expected
    keys = {split: {Path(n).stem for n in vistas if f"/{split}/images/" in n} for split in ("training", "validation")}
    assert [len(keys["training"]), len(keys["validation"])] == [5, 2]
    assert all(len(key) == 22 for split in keys.values() for key in split)
    expected_vistas = {
        f"mapillary/{s}/{kind}" for s in keys for key in keys[s] for kind in (f"images/{key}.jpg", f"labels/{key}.png")
    }
    assert vistas == expected_vistas | {"mapillary/config.json"}


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
    image, expected = render_street("source", seed=0, index=1, width=64, height=32, shift=1.0)
    assert np.array_equal(ids, expected)
    with Image.open(root / "gta5/images/00002.png") as stored:
        assert stored.mode == "RGB" and np.array_equal(np.asarray(stored), image)


def test_cityscapes_labels_are_grey(root: Path) -> None:
    for path in (root / "cityscapes/gtFine").rglob("*.png"):
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("L", (64, 32))
    for path in (root / "cityscapes/leftImg8bit").rglob("*.png"):
        with Image.open(path) as image:
            assert (image.mode, image.size) == ("RGB", (64, 32))


def test_train_and_val_share_no_scene() -> None:
    scenes = [*cityscapes_scenes(MiniatureSettings(target_train=3000, target_val=3000))]
    assert len({scene.index for scene in scenes}) == 6000


def test_the_files_do_not_depend_on_the_number_of_workers(root: Path, tmp_path: Path) -> None:
    assert _contents(_write(tmp_path, workers=2)) == _contents(root)


@pytest.mark.parametrize(
    ("layout", "class_set", "split", "domain", "first"),
    [
        ("gta5", "cityscapes19", "all", "source", 0),
        ("synthia", "synthia16", "all", "source", 0),
        ("varied", "camvid11", "all", "varied", 0),
        ("cityscapes", "cityscapes19", "train", "target", 0),
        ("cityscapes", "synthia16", "val", "target", 1_000_000),
        ("mapillary", "vistas7", "training", "target", 0),
        ("mapillary", "cityscapes19", "validation", "target", 1_000_000),
    ],
)
def test_every_layout_reads_back_to_the_labels_that_were_rendered(
    root: Path, layout: Layout, class_set: str, split: str, domain: str, first: int
) -> None:
    classes = CLASS_SETS[class_set]
    name = "gta5" if layout == "varied" else layout
    index = inspect(name, format_named(name), root / layout, split, classes, Checks()).sound_index()
    read = {sample.label: index.read_label(sample) for sample in index.samples}
    scenes = [scene for scene in SCENES[layout](SETTINGS) if scene.label in read]
    assert len(scenes) == len(read) and min(scene.index for scene in scenes) == first
    for scene in scenes:
        width, height = scene.size_wh(64, 32)
        image, ids = render_street(domain, index=scene.index, seed=0, shift=1.0, width=width, height=height)
        expected = id_table(CITYSCAPES_LABELS, classes).train_ids[ids]
        if layout == "mapillary":  # which knows a class for some pixels that Cityscapes ignores
            expected = np.where(expected == IGNORE, read[scene.label], expected)
        assert np.array_equal(read[scene.label], expected)
        stored = read_image(root / layout / scene.image)
        if scene.image.endswith(".jpg"):
            assert np.abs(stored.astype(int) - image).mean() < 8
        else:
            assert np.array_equal(stored, image)


def test_synthias_labels_have_16_bits(root: Path) -> None:
    kinds = {path.read_bytes()[24:26] for path in (root / "synthia/GT/LABELS").glob("*.png")}
    assert kinds == {bytes([16, 2])}  # 16 bits, RGB


def test_vistas_has_images_of_several_shapes_and_66_labels_in_the_colours_of_its_config(root: Path) -> None:
    sizes = {Image.open(path).size for path in (root / "mapillary/training/images").glob("*.jpg")}
    assert {width > height for width, height in sizes} == {True, False} and len(sizes) == 3
    assert all(abs(width * height / (64 * 32) - 1) < 0.05 for width, height in sizes)
    labels = json.loads((root / "mapillary/config.json").read_text())["labels"]
    assert len(labels) == 66 and labels[13]["name"] == "construction--flat--road"
    for path in (root / "mapillary/training/labels").glob("*.png"):
        with Image.open(path) as image:
            assert image.mode == "P"
            palette = image.getpalette()
        assert palette is not None and palette[3 * 13 : 3 * 14] == labels[13]["color"] == [128, 64, 128]
