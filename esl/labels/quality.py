"""Pseudo-labels against target labels: a diagnosis, never used for training or selection."""

from collections.abc import Sequence
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.labels.manifest import ClassQuality, LabelQuality
from esl.labels.measures.base import Maps, Measure
from esl.labels.risk import Ranking, accuracy_at, share

COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of each predicted class at which confidence measures are compared."""


class Row(IntEnum):
    """The rows of ``Quality.counts``."""

    TRUTH = 0  # labelled pixels of each true class
    COVERED = 1  # of them with a pseudo-label
    KEPT = 2  # labelled pixels pseudo-labelled as the class
    RIGHT = 3  # of them correctly


class Quality:
    """Pixel counts of pseudo-labels against target labels, added up image by image.

    ``measures`` are compared: the most confident pixels of which one are correct most often?
    """

    def __init__(self, num_classes: int, measures: Sequence[Measure] = ()) -> None:
        self.measures = measures
        self.images = 0
        self.counts = np.zeros((len(Row), num_classes), dtype=np.int64)
        self.ranking = Ranking(num_classes, measures)  # of predictions, kept or not, by every measure

    def add(self, truth: NDArray[np.uint8], label: NDArray[np.uint8], maps: Maps) -> None:
        """Counts one image: true trainIds, pseudo-label, and its maps ``label`` and of every measure; all (H, W)."""
        self.images += 1
        labelled = truth != IGNORE
        chosen = labelled & (label != IGNORE)
        for row, classes in (
            (Row.TRUTH, truth[labelled]),
            (Row.COVERED, truth[chosen]),
            (Row.KEPT, label[chosen]),
            (Row.RIGHT, label[chosen & (label == truth)]),
        ):
            self.counts[row] += np.bincount(classes, minlength=self.counts.shape[1])
        self.ranking.add(truth, maps)

    def summary(self, class_set: ClassSet) -> LabelQuality:
        """The comparison over all images; ``None`` for 0 / 0.

        ``accuracy`` (of pixels kept) and ``coverage`` (of pixels labelled) concern the pseudo-labels. The other two
        concern the teacher's predictions, kept or not: ``accuracy_at_coverage`` takes the most confident share of
        *each predicted class*; ``risk_coverage`` ranks all pixels together, and those predicted as each class.
        """
        whole = self._of(self.counts.sum(axis=1))
        rows = zip(class_set.classes, self.counts.T, strict=True)
        return LabelQuality(
            labelled_images=self.images,
            accuracy=whole.accuracy,
            coverage=whole.coverage,
            classes={name: self._of(counts) for name, counts in rows},
            accuracy_at_coverage={
                measure.name: {
                    str(share_): accuracy_at(share_, *self.ranking.counts[measure.name], sure=measure.sure)
                    for share_ in COVERAGES
                }
                for measure in self.measures
            },
            risk_coverage=self.ranking.summary(class_set),
        )

    @staticmethod
    def _of(counts: NDArray[np.int64]) -> ClassQuality:
        """Accuracy and coverage from four counts (4,)."""
        return ClassQuality(
            accuracy=share(counts[Row.RIGHT], counts[Row.KEPT]), coverage=share(counts[Row.COVERED], counts[Row.TRUTH])
        )
