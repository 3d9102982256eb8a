"""The scores of a model: the content of miou.json."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from torch import nn

from esl.classes import ClassSet
from esl.data.index import Index
from esl.evaluation.confusions import Confusions
from esl.evaluation.contents import ConfusionScores, ModelScores
from esl.evaluation.metrics import intersection_over_union, mean_iou, pixel_accuracy
from esl.evaluation.predict import confusions_on
from esl.evaluation.settings import EvaluateSettings
from esl.files import sha256_of_file
from esl.models.checkpoint import Description
from esl.models.device import Device
from esl.models.predictor import Predictor
from esl.settings import resize_wh


@dataclass(frozen=True)
class Scorer:
    """Scores models against every label of ``index``."""

    index: Index
    settings: EvaluateSettings
    device: Device
    threads: int
    drawn_at_random: bool = False
    """Whether the labelled images are independent random draws of the target; confusions.npz says so."""

    def score(self, checkpoint: Path, network: nn.Module, description: Description) -> ModelScores:
        """The content of miou.json: the ``network`` and the ``description`` of ``checkpoint``; see ``summed``."""
        return self.summed(self.confusions(network), checkpoint, description)

    def summed(self, confusions: Confusions, checkpoint: Path, description: Description) -> ModelScores:
        """The content of miou.json, from the matrices of the network of ``checkpoint``; without any all are null."""
        index, settings = self.index, self.settings
        window = {} if settings.window is None else {"window": settings.window}
        precision = {"precision": self.device.precision, "training": description.settings}
        resolutions = sorted({sample.label_size_wh or sample.size_wh for sample in index.labelled})
        return ModelScores(
            **dict(scores(confusions.total(), index.class_set)),
            label_resolution=[f"{width}x{height}" for width, height in resolutions],
            images=len(index.labelled),
            unlabelled=len(index.samples) - len(index.labelled),
            data=settings.data or index.fingerprint(),
            labels_sha256=index.fingerprint(),
            settings={"size": settings.size, **window, **precision},
            versions={name: version(name) for name in ("torch", "torchvision", "numpy", "pillow")},
            checkpoint_sha256=sha256_of_file(checkpoint),
        )

    def confusions(self, network: nn.Module) -> Confusions:
        """The confusion matrix of the network for each labelled image; without any label no network is run."""
        index = self.index
        if not index.labelled:
            print(
                f"{index.root}: nothing to evaluate: none of {len(index.samples)} images has a label", file=sys.stderr
            )
        samples = ((sample.id, sample.image) for sample in index.labelled)
        return Confusions.of(
            samples,
            self._matrices(network),
            index.class_set,
            index.fingerprint(),
            drawn_at_random=self.drawn_at_random,
        )

    def _matrices(self, network: nn.Module) -> Iterator[NDArray[np.int64]]:
        if self.index.labelled:
            to, batch = resize_wh(self.settings.size), self.settings.batch_size
            predictor = Predictor(network, self.device, window_wh=self.settings.window_wh)
            yield from confusions_on(predictor, self.index, to=to, batch=batch, workers=self.threads)


def scores(confusion: NDArray[np.int64], class_set: ClassSet) -> ConfusionScores:
    """Scores of a confusion matrix, rows truth, by the names of the class set: fractions, null if undefined.

    The matrix is (C, C), or (C + F, C) for a class set with F foreign labels. Their pixels are in ``foreign``, and
    count only in the means that are called ``{name}+foreign``.
    """
    own = confusion[: len(class_set)]
    iou = dict(zip(class_set.classes, intersection_over_union(own), strict=True))
    sets = {class_set.name: class_set.classes} | dict(class_set.subsets)
    means = {name: mean_iou([iou[class_] for class_ in classes]) for name, classes in sets.items()}
    if class_set.foreign:
        strict = dict(zip(class_set.classes, intersection_over_union(confusion), strict=True))
        for name, classes in sets.items():
            means[f"{name}+foreign"] = mean_iou([strict[class_] for class_ in classes])
    foreign = dict(zip(class_set.foreign, confusion[len(class_set) :].tolist(), strict=True))
    return ConfusionScores(
        miou=means, iou=iou, pixel_accuracy=pixel_accuracy(own), confusion=own.tolist(), foreign=foreign
    )
