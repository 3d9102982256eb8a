"""Files of labelling tools, to be damaged: masks in a zip file, and annotations in JSON."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from esl.data.class_sets import CLASS_SETS
from esl.labelling.kinds import annotated_images
from esl.labelling.masks import MaskWriter
from tests.fuzz.harness import Reader, WrongValueError
from tests.fuzz.mutations import as_json, damaged, json_edits

CLASSES = CLASS_SETS["cityscapes19"]
LABEL = np.arange(96, dtype=np.uint8).reshape(8, 12) % 19


def labelling_readers() -> Iterator[Reader]:
    """Both of them."""
    yield Reader("labels, CVAT", "labels.zip", [_masks(stored) for stored in (True, False)], _read, damaged)
    whole = [0, 0, 12, 0, 12, 8, 0, 8]
    for name, segmentation in (
        ("polygons", [whole, [1, 1, 5, 1, 5, 5]]),
        ("runs", {"size": [8, 12], "counts": [3, 90, 3]}),
        ("text", {"size": [8, 12], "counts": "3j23"}),
    ):
        annotation = {"id": 1, "image_id": 1, "category_id": 1, "segmentation": segmentation}
        content = {
            "images": [{"id": 1, "file_name": "a/b.png", "width": 12, "height": 8}],
            "categories": [{"id": 1, "name": "road"}],
            "annotations": [annotation],
        }
        yield Reader(f"labels, COCO {name}", "train.json", [as_json(content)], _read, json_edits)


def _masks(stored: bool) -> bytes:
    buffer = io.BytesIO()
    with ZipFile(buffer, "w") as archive:
        writer = MaskWriter(archive, CLASSES)
        writer.add("train", "a/b", *writer.encoded(LABEL))
        writer.add("measure", "c", *writer.encoded(LABEL))
        writer.finish()
    if stored:
        return buffer.getvalue()
    again = io.BytesIO()
    with ZipFile(buffer) as archive, ZipFile(again, "w", ZIP_DEFLATED) as packed:
        for name in archive.namelist():
            packed.writestr(name, archive.read(name))
    return again.getvalue()


def _read(path: Path) -> Any:
    """Every label, with the trainIds of classes and 255 alone."""
    for image in annotated_images(path):
        train_ids, unknown = image.read(CLASSES)
        json.dumps([image.name, image.set, image.file, sorted(unknown)])
        if train_ids.dtype != np.uint8 or train_ids.ndim != 2 or set(np.unique(train_ids).tolist()) - {*range(19), 255}:
            raise WrongValueError(f"{image.file}: {train_ids.dtype}, {train_ids.shape}")
