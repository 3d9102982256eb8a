"""FiftyOne: a zip file that `fiftyone.Dataset.from_archive` imports, with a mask and a heat map for each image.

The type is `fiftyone.types.LegacyFiftyOneDataset`, plain JSON that every release reads (docs.voxel51.com, "Loading
datasets from disk"). In masks 0 is the background and trainId + 1 a class. Images stay where they are, and are named by
their absolute paths: import the file on a machine that has them there.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np

from esl.classes import IGNORE, ClassSet
from esl.export.items import CONFIDENCE, Item
from esl.files import atomic_path
from esl.labelling.archive import add, png

LABEL = "pseudo_label"
"""The field of the masks."""


def write_fiftyone(path: Path, items: Iterable[Item], class_set: ClassSet) -> None:
    """Writes the zip file: samples with the fields `pseudo_label`, `confidence` and `kept`, the labelled share."""
    samples: list[dict[str, Any]] = []
    with atomic_path(path) as part, ZipFile(part, "w") as archive:
        for item in items:
            mask, heat = (f"fields/{field}/{item.sample.id}.png" for field in (LABEL, CONFIDENCE))
            labelled = item.label != IGNORE
            add(archive, mask, png(np.where(labelled, item.label + np.uint8(1), np.uint8(0))))
            add(archive, heat, png(np.rint(item.confidence * 255).astype(np.uint8)))
            samples.append({
                "filepath": str(item.image.resolve()),
                "tags": [],
                LABEL: {"_cls": "Segmentation", "mask_path": mask},
                CONFIDENCE: {"_cls": "Heatmap", "map_path": heat, "range": [0, 255]},
                "kept": float(labelled.mean()),
            })  # fmt: skip
        targets = {str(id_): name for id_, name in enumerate(class_set.classes, start=1)}
        metadata = {"media_type": "image", "info": {"default_mask_targets": targets}}
        for name, content in (("metadata", metadata), ("samples", {"samples": samples})):
            add(archive, f"{name}.json", json.dumps(content, indent=1).encode(), ZIP_DEFLATED)
