"""Drawn images as a task for CVAT: a dataset of "Segmentation mask 1.1" with images, and annotations to correct.

CVAT makes a task of each subset, so that images for scores and for training stay apart.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.data.images import read_bytes
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.export.archive import add
from esl.export.cvat import add_annotations, add_lists
from esl.files import atomic_path
from esl.labelling.contents import Drawn, DrawnImage, LabelSet
from esl.labelling.settings import UNSURE
from esl.labels.confidence import confidence_maps
from esl.labels.fixed_point import TOP
from esl.labels.measures.max_probability import MaxProbability
from esl.models.predictor import Prediction


@dataclass(frozen=True)
class TaskItem:
    """A drawn image with the annotations to correct."""

    set: LabelSet
    index: Index
    sample: IndexedSample
    label: NDArray[np.uint8]  # (H, W) trainIds, IGNORE where it is left empty; the image's own size

    @property
    def name(self) -> str:
        """The image's path from the root without its ending, with `/` between folders."""
        return self.sample.image.rpartition(".")[0]


def drawn_samples(drawn: Drawn, indices: Mapping[LabelSet, Index]) -> dict[LabelSet, list[IndexedSample]]:
    """The samples of both sets, in the order of the draw.

    Raises:
        InputError: an image is not in its index any more, or has changed.
    """
    sets: dict[LabelSet, list[IndexedSample]] = {}
    of_sets: tuple[tuple[LabelSet, dict[str, DrawnImage]], ...] = (("measure", drawn.measure), ("train", drawn.train))
    for set_, images in of_sets:
        samples = {sample.id: sample for sample in indices[set_].samples}
        for id_, image in images.items():
            if id_ not in samples or samples[id_].image_sha256 != image.sha256:
                raise InputError(f"{image.image}: drawn to be labelled, but gone or changed since; draw again")
        sets[set_] = [samples[id_] for id_ in images]
    return sets


def annotation(prediction: Prediction, *, unsure: str) -> NDArray[np.uint8]:
    """A prediction as trainIds (H, W) at the size of its image; with ``unsure`` = `empty`, IGNORE below ``UNSURE``."""
    width, height = prediction.sample.size_wh
    maps = confidence_maps(prediction.probability, (height, width), [MaxProbability()])
    label: NDArray[np.uint8] = maps["label"]
    return label if unsure == "filled" else np.where(maps["confidence"] < UNSURE * TOP, np.uint8(IGNORE), label)


def write_task(path: Path, items: Iterable[TaskItem], class_set: ClassSet) -> None:
    """Writes the zip file; images keep their bytes.

    Raises:
        InputError: a class cannot be written (see ``write_cvat``), two images differ only in their ending, or an image
            has changed.
    """
    names: dict[str, list[str]] = {"measure": [], "train": []}
    with atomic_path(path) as part, ZipFile(part, "w") as archive:
        for item in items:
            add(archive, f"JPEGImages/{item.sample.image}", read_bytes(item.index.image(item.sample))[1])
            names[item.set].append(item.name)
            add_annotations(archive, item.name, item.label, class_set)
        add_lists(archive, {set_: own for set_, own in names.items() if own}, class_set)
