"""Pseudo-labels against target labels: a diagnosis, never used for training or selection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.labels.measures.base import Maps, Measure
from esl.labels.risk import Ranking, accuracy_at, share

COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of each predicted class at which measures of confidence are compared."""


@dataclass
class Quality:
    """Pixel counts of pseudo-labels against target labels, added up image by image."""

    num_classes: int
    measures: Sequence[Measure] = ()
    """The measures to compare: whose most confident pixels are correct more often?"""
    images: int = 0
    truth: NDArray[np.int64] = field(init=False)  # (C) labelled pixels of each true class
    covered: NDArray[np.int64] = field(init=False)  # (C) of them with a pseudo-label
    kept: NDArray[np.int64] = field(init=False)  # (C) labelled pixels pseudo-labelled as the class
    right: NDArray[np.int64] = field(init=False)  # (C) of them correctly
    ranking: Ranking = field(init=False)  # of predictions, kept or not, by every measure

    def __post_init__(self) -> None:
        for name in ("truth", "covered", "kept", "right"):
            setattr(self, name, np.zeros(self.num_classes, dtype=np.int64))
        self.ranking = Ranking(self.num_classes, self.measures)

    def add(self, truth: NDArray[np.uint8], label: NDArray[np.uint8], maps: Maps) -> None:
        """Counts one image: true trainIds, pseudo-label, and its maps ``label`` and of every measure; all (H, W)."""
        self.images += 1
        labelled = truth != IGNORE
        chosen = labelled & (label != IGNORE)
        for name, classes in (
            ("truth", truth[labelled]),
            ("covered", truth[chosen]),
            ("kept", label[chosen]),
            ("right", label[chosen & (label == truth)]),
        ):
            setattr(self, name, getattr(self, name) + np.bincount(classes, minlength=self.num_classes))
        self.ranking.add(truth, maps)

    def summary(self, class_set: ClassSet) -> dict[str, Any]:
        """The content of ``quality``; ``None`` for 0 / 0.

        ``accuracy`` (of pixels kept) and ``coverage`` (of pixels labelled) of the pseudo-labels, overall and for the
        pixels labelled as, or truly of, each class. Of the teacher's predictions, kept or not, by every measure:
        ``accuracy_at_coverage``, where the surest share of *each predicted class* is taken, and ``risk_coverage``
        (see ``esl/labels/risk.py``), where all pixels are ranked together, and those predicted as each class.
        """
        rows = zip(class_set.classes, self.truth, self.covered, self.kept, self.right, strict=True)
        return {
            "labelled_images": self.images,
            "accuracy": share(self.right.sum(), self.kept.sum()),
            "coverage": share(self.covered.sum(), self.truth.sum()),
            "classes": {
                name: {"accuracy": share(right, kept), "coverage": share(covered, truth)}
                for name, truth, covered, kept, right in rows
            },
            "accuracy_at_coverage": {
                measure.name: {
                    str(coverage): accuracy_at(coverage, *self.ranking.counts[measure.name], sure=measure.sure)
                    for coverage in COVERAGES
                }
                for measure in self.measures
            },
            "risk_coverage": self.ranking.summary(class_set),
        }
