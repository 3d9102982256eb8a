"""COCO: one annotation for each class in an image, as run-length encoded mask with a score.

The format is that of cocodataset.org/#format-data: run-length encoded masks stand for `iscrowd` 1, pixels of one class
that are no single object. `score`, as in the format of results, is the mean of the teacher's maximum
probability over the mask. Category ids are trainId + 1, because 0 is the background of most tools.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from esl.classes import ClassSet
from esl.errors import InputError
from esl.export.items import Item
from esl.files import write_json


def write_coco(path: Path, items: Iterable[Item], class_set: ClassSet) -> None:
    """Writes a COCO file of annotations; images are named by their paths from the dataset's root.

    Raises:
        InputError: the package pycocotools is not installed.
    """
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, item in enumerate(items, start=1):
        width, height = item.sample.size_wh
        images.append({"id": number, "file_name": item.sample.image, "width": width, "height": height})
        annotations += [
            {"id": len(annotations) + place, "image_id": number, **annotation}
            for place, annotation in enumerate(_annotations(item, class_set), start=1)
        ]
    categories = [{"id": id_, "name": name, "supercategory": ""} for id_, name in enumerate(class_set.classes, start=1)]
    write_json(path, {"images": images, "annotations": annotations, "categories": categories})


def _annotations(item: Item, class_set: ClassSet) -> Iterable[dict[str, Any]]:
    try:
        from pycocotools import mask as masks
    except ModuleNotFoundError:
        raise InputError("COCO needs the package pycocotools: pip install 'esl[export]'") from None
    for train_id in range(len(class_set)):
        mask = item.label == train_id
        if not mask.any():
            continue
        encoded = masks.encode(np.asfortranarray(mask, dtype=np.uint8))
        yield {
            "category_id": train_id + 1,
            "segmentation": {"size": [*encoded["size"]], "counts": encoded["counts"].decode("ascii")},
            "area": int(mask.sum()),
            "bbox": [float(side) for side in masks.toBbox(encoded)],
            "iscrowd": 1,
            "score": round(float(item.confidence[mask].mean(dtype=np.float64)), 4),
        }
