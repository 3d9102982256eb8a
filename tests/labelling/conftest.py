"""Labels that come back: written as CVAT, COCO and folders of PNGs hold them."""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE, ClassSet
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.export.cvat import add_annotations, add_lists

CAMVID = CLASS_SETS["camvid11"]
Masks = Mapping[str, NDArray[np.uint8]]
NAMES = ("a b/1.0 drive", "a b/2", "plain/3", "übung/4", "plain/5")
"""Paths of photographs without ending: with a space, a dot and an umlaut."""


def mask_of(seed: int, height: int = 12, width: int = 16) -> NDArray[np.uint8]:
    """A random label with some pixels left open."""
    return np.random.default_rng(seed).choice([*range(11), IGNORE], (height, width)).astype(np.uint8)


def write_cvat(path: Path, masks: Mapping[str, Masks], class_set: ClassSet = CAMVID) -> Path:
    """An export of CVAT: masks by name, by subset."""
    with ZipFile(path, "w") as archive:
        for own in masks.values():
            for name, mask in own.items():
                add_annotations(archive, name, mask, class_set)
        add_lists(archive, {subset: [*own] for subset, own in masks.items()}, class_set)
    return path


def write_coco(path: Path, masks: Masks) -> Path:
    """A COCO file with the masks as uncompressed run lengths."""
    images, annotations = [], []
    for number, (name, mask) in enumerate(masks.items(), start=1):
        height, width = mask.shape
        images.append({"id": number, "file_name": f"{name}.jpg", "width": width, "height": height})
        for train_id in sorted({*mask.flat} - {IGNORE}):
            annotations.append({
                "image_id": number, "category_id": int(train_id) + 1,
                "segmentation": {"size": [height, width], "counts": _runs(mask == train_id)},
            })  # fmt: skip
    categories = [{"id": id_, "name": name} for id_, name in enumerate(CAMVID.classes, start=1)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    return path


def _runs(mask: NDArray[np.bool_]) -> list[int]:
    """Run lengths down the columns, beginning with those of False."""
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(np.diff(flat)) + 1
    runs = np.diff([0, *edges, flat.size]).tolist()
    return [0, *runs] if flat[0] else runs


def write_pngs(folder: Path, masks: Masks, *, colours: bool) -> Path:
    """A folder of PNGs: of trainIds, or of colours."""
    for name, mask in masks.items():
        image = Image.fromarray(mask)
        image.putpalette(CAMVID.palette())
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (image.convert("RGB") if colours else image).save(folder / f"{name}.png")
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Index:
    """The index of five photographs of 16x12 without labels."""
    rng = np.random.default_rng(0)
    for name in NAMES:
        path = tmp_path / "photos" / f"{name}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (12, 16, 3), dtype=np.uint8)).save(path)
    format_, checks = format_named("folder"), Checks(labels="optional")
    return inspect("folder", format_, tmp_path / "photos", "all", CAMVID, checks).sound_index()


@pytest.fixture
def with_copy(photos: Index) -> Callable[[str], Index]:
    """The index with a copy of its first photograph under another name."""

    def copied(name: str) -> Index:
        first = photos.samples[0]
        return replace(photos, samples=[*photos.samples, replace(first, id=name, image=f"{name}.jpg")])

    return copied
