"""Labels that come back from labelling tools: pixel for pixel, and one line for each mistake."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from esl.data.index import Index
from esl.errors import InputError
from esl.files import write_json
from esl.labelling.contents import Labels, LabelSet, read_labels
from esl.labelling.returning import returned_labels
from esl.labelling.settings import LabelsSettings
from esl.labelling.truth import labelled_by
from esl.stages.labels import main
from tests.labelling.conftest import NAMES, mask_of, write_coco, write_cvat, write_pngs

MEASURE = {NAMES[0]: mask_of(0), NAMES[3]: mask_of(3)}
TRAIN = {NAMES[1]: mask_of(1), NAMES[2]: mask_of(2)}
DATUMARO = "DATUMARO_PYTHON"
"""The environment variable with a Python that has datumaro, the library that CVAT reads and writes datasets with.

It does not go with the versions of Pillow and pandas that this project is tested with."""


def _returned(photos: Index, folder: Path, **paths: Any) -> Labels:
    indices: dict[LabelSet, Index] = {"measure": photos, "train": photos}
    return returned_labels(LabelsSettings(**{key: str(path) for key, path in paths.items()}), indices, folder)


def _require_same(labels: Labels, folder: Path, photos: Index) -> None:
    """The labels are MEASURE and TRAIN, pixel for pixel."""
    write_json(folder.with_suffix(".json"), labels.to_json())
    for set_, masks in (("measure", MEASURE), ("train", TRAIN)):
        index = labelled_by(folder.with_suffix(".json"), photos, "measure" if set_ == "measure" else "train")
        assert {sample.image.removesuffix(".jpg") for sample in index.samples} == masks.keys()
        for sample in index.samples:
            np.testing.assert_array_equal(index.read_label(sample), masks[sample.image.removesuffix(".jpg")])


def test_cvat_comes_back_pixel_for_pixel_zipped_and_unpacked(tmp_path: Path, photos: Index) -> None:
    path = write_cvat(tmp_path / "corrected.zip", {"Measure": MEASURE, "train": TRAIN})
    _require_same(_returned(photos, tmp_path / "labels", both=path), tmp_path / "labels", photos)
    with ZipFile(path) as archive:
        archive.extractall(tmp_path / "unpacked")
    _require_same(_returned(photos, tmp_path / "labels", both=tmp_path / "unpacked"), tmp_path / "labels", photos)


def test_coco_comes_back_pixel_for_pixel_and_polygons_are_painted_in_order(tmp_path: Path, photos: Index) -> None:
    write_coco(tmp_path / "coco/annotations/instances_measure.json", MEASURE)
    train = write_coco(tmp_path / "coco/annotations/instances_train.json", TRAIN)
    _require_same(_returned(photos, tmp_path / "labels", both=tmp_path / "coco"), tmp_path / "labels", photos)
    content = json.loads(train.read_text())
    squares = [[0, 0, 8, 0, 8, 8, 0, 8]], [[4, 4, 12, 4, 12, 12, 4, 12]]
    content["annotations"] = [
        {"image_id": 1, "category_id": number, "segmentation": square} for number, square in enumerate(squares, start=1)
    ]
    train.write_text(json.dumps(content))
    labels = _returned(photos, tmp_path / "labels", train=train)
    (pixels,) = [file.pixels for file in labels.files.values()]
    assert pixels[:3] == [48, 64, 0]


@pytest.mark.parametrize("colours", [False, True])
def test_folders_of_pngs_come_back_pixel_for_pixel(tmp_path: Path, photos: Index, colours: bool) -> None:
    write_pngs(tmp_path / "pngs/measure", MEASURE, colours=colours)
    write_pngs(tmp_path / "pngs/train", TRAIN, colours=colours)
    _require_same(_returned(photos, tmp_path / "labels", both=tmp_path / "pngs"), tmp_path / "labels", photos)


def test_paths_of_the_config_say_what_labels_are_for(tmp_path: Path, photos: Index) -> None:
    """Also where the file says otherwise; and names may have lost or gained folders."""
    own = {NAMES[0].rpartition("/")[2]: MEASURE[NAMES[0]], f"task 7/{NAMES[3]}": MEASURE[NAMES[3]]}
    measure = write_pngs(tmp_path / "a/train", own, colours=False)
    train = write_cvat(tmp_path / "b.zip", {"default": TRAIN})
    labels = _returned(photos, tmp_path / "labels", measure=measure.parent, train=train)
    _require_same(labels, tmp_path / "labels", photos)


def test_the_stage_writes_a_manifest_that_says_where_labels_came_from(tmp_path: Path, photos: Index) -> None:
    write_json(tmp_path / "index.json", photos.to_json())
    path = write_cvat(tmp_path / "corrected.zip", {"measure": MEASURE, "train": TRAIN})
    flags = ["--index", str(tmp_path / "index.json"), "--validation", str(tmp_path / "index.json")]
    output = tmp_path / "label/labels.json"
    for drawn, at_random in ((0, False), (5, True)):
        settings = LabelsSettings(both=str(path), drawn=drawn).canonical()
        main([*flags, "--settings", settings, "--output", str(output)])
        assert read_labels(output).drawn_at_random == at_random
    assert read_labels(output).origin == str(path)
    assert sorted(png.stem for png in output.with_suffix("").iterdir()) == sorted(read_labels(output).files)


def _other_class(tmp_path: Path) -> Path:
    path = write_cvat(tmp_path / "a.zip", {"train": TRAIN})
    with ZipFile(path) as archive:
        archive.extractall(tmp_path / "a")
    labelmap = tmp_path / "a/labelmap.txt"
    labelmap.write_text(labelmap.read_text().replace("sky:", "skye:"))
    return tmp_path / "a"


def _border(tmp_path: Path) -> Path:
    """A label painted over the border of its image."""
    path = write_coco(tmp_path / "train.json", TRAIN)
    content = json.loads(path.read_text())
    content["annotations"][0]["segmentation"]["size"] = [12, 17]
    path.write_text(json.dumps(content))
    return path


def _also_in(path: Path, subset: str, name: str) -> Path:
    with ZipFile(path, "a") as archive:
        archive.writestr(f"ImageSets/Segmentation/{subset}.txt", name)
    return path


MISTAKES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "class": (
        _other_class,
        r"SegmentationClass/a b/2\.png: pixels of 'skye', which is no class of camvid11; did you mean 'sky'",
    ),
    "border": (_border, r"train\.json: a b/2\.jpg: a mask of \[12, 17\] in an image of \[12, 16\]"),
    "size": (
        lambda path: write_cvat(path / "a.zip", {"train": {NAMES[1]: mask_of(0, 24, 32)}}),
        r"a b/2\.png: a label of 32x24 for an image of 16x12 \(a b/2\.jpg\); export it at the size",
    ),
    "unknown": (
        lambda path: write_cvat(path / "a.zip", {"train": {"nowhere/9": mask_of(0)}}),
        r"nowhere/9\.png: no image 'nowhere/9' in target\.train_split",
    ),
    "set": (
        lambda path: write_cvat(path / "a.zip", {"default": TRAIN}),
        "nothing says whether it is for scores or for training; export it in a subset",
    ),
    "both sets": (
        lambda path: write_pngs(
            path / "a", {"train/plain/3": mask_of(0), "measure/plain/3": mask_of(0)}, colours=False
        ),
        r"the same image as of .*plain/3\.png .*, for the other set; scores on images that are trained on",
    ),
    "two lists": (
        lambda path: _also_in(write_cvat(path / "a.zip", {"train": TRAIN}), "measure", NAMES[1]),
        r"a b/2\.png: the same image as of .*, for the other set",
    ),
    "two files": (
        lambda path: write_pngs(path / "a", {"train/plain/3": mask_of(0), "train/3": mask_of(1)}, colours=False),
        r"the same image as of .*\(plain/3\.jpg, plain/3\.jpg\); remove one of them",
    ),
    "nothing": (
        lambda path: write_pngs(path / "a", {"train/plain/3": np.full((12, 16), 255, np.uint8)}, colours=False),
        "nothing is labelled on any image",
    ),
    "empty": (lambda path: path / "photos", "no labels in it; expected CVAT's Segmentation mask 1.1"),
    "missing": (lambda path: path / "none.zip", r"none\.zip: no such file or folder; correct target\.labels"),
    "no zip": (lambda path: shutil.copy(path / "photos/plain/3.jpg", path / "a.zip"), "not a readable zip file"),
    "no json": (lambda path: shutil.copy(path / "photos/plain/3.jpg", path / "a.json"), "expected text in UTF-8"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_is_one_line(tmp_path: Path, photos: Index, name: str) -> None:
    make, expected = MISTAKES[name]
    with pytest.raises(InputError, match=expected):
        _returned(photos, tmp_path / "labels", both=make(tmp_path))
    assert not (tmp_path / "labels.json").exists()


def test_a_copy_under_another_name_is_the_same_image(tmp_path: Path, with_copy: Callable[[str], Index]) -> None:
    masks = {f"measure/{NAMES[0]}": mask_of(0), "train/copy": mask_of(0)}
    path = write_pngs(tmp_path / "a", masks, colours=False)
    with pytest.raises(InputError, match=r"train/copy\.png: the same image as of .*, for the other set"):
        _returned(with_copy("copy"), tmp_path / "labels", both=path)


def test_all_mistakes_are_named_at_once(tmp_path: Path, photos: Index) -> None:
    masks = {"train/x": mask_of(0), "train/plain/3": mask_of(0, 6, 8), "other/plain/5": mask_of(0)}
    with pytest.raises(InputError, match=r"3 mistake\(s\)\n(  .*\n?){3}$"):
        _returned(photos, tmp_path / "labels", both=write_pngs(tmp_path / "a", masks, colours=False))


def test_a_zip_file_writes_nothing_outside_and_a_damaged_entry_is_named(tmp_path: Path, photos: Index) -> None:
    path = write_cvat(tmp_path / "a.zip", {"train": {f"../../{NAMES[1]}": TRAIN[NAMES[1]], NAMES[2]: TRAIN[NAMES[2]]}})
    assert _returned(photos, tmp_path / "deep/labels", both=path).images == 2
    assert sorted(file.name for file in (tmp_path / "deep").rglob("*.png")) == ["a b__2.png", "plain__3.png"]
    content = bytearray(path.read_bytes())
    place = content.index(b"IDAT") + 10
    content[place : place + 4] = b"\0\0\0\0"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be unpacked"):
        _returned(photos, tmp_path / "deep/labels", both=path)


def test_cvats_own_library_carries_labels_there_and_back(tmp_path: Path, photos: Index) -> None:
    """Our export, imported and exported again by datumaro, as CVAT does."""
    python = os.environ.get(DATUMARO)
    if not python:
        pytest.skip(f"{DATUMARO} names no Python with datumaro")
    path = write_cvat(tmp_path / "ours.zip", {"measure": MEASURE, "train": TRAIN})
    with ZipFile(path, "a") as archive:
        for name in (*MEASURE, *TRAIN):
            archive.write(tmp_path / f"photos/{name}.jpg", f"JPEGImages/{name}.jpg")
    with ZipFile(path) as archive:
        archive.extractall(tmp_path / "ours")
    program = (
        "import sys; from datumaro.components.dataset import Dataset\n"
        "dataset = Dataset.import_from(sys.argv[1], 'voc_segmentation')\n"
        "dataset.export(sys.argv[2], 'voc_segmentation', save_media=False, label_map='source')\n"
    )
    command = [python, "-c", program, str(tmp_path / "ours"), str(tmp_path / "theirs")]
    run = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ""})
    assert run.returncode == 0, run.stderr
    _require_same(_returned(photos, tmp_path / "labels", both=tmp_path / "theirs"), tmp_path / "labels", photos)
    assert Image.open(next((tmp_path / "theirs/SegmentationClass").rglob("*.png"))).size == (16, 12)
