"""Pseudo-labels against target labels: a diagnosis, never used for training or selection."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.labels.fixed_point import CODES, count_codes
from esl.labels.measures.base import Maps, Measure, Sure

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
    ranked: dict[str, NDArray[np.int64]] = field(init=False)  # measure -> (2, C, 65536): all, correctly predicted

    def __post_init__(self) -> None:
        for name in ("truth", "covered", "kept", "right"):
            setattr(self, name, np.zeros(self.num_classes, dtype=np.int64))
        self.ranked = {
            measure.name: np.zeros((2, self.num_classes, CODES), dtype=np.int64) for measure in self.measures
        }

    def add(self, truth: NDArray[np.uint8], label: NDArray[np.uint8], maps: Maps) -> None:
        """Counts one image: true trainIds, pseudo-label, and its maps ``label`` and of every measure; all (H, W)."""
        self.images += 1
        labelled = truth != IGNORE
        chosen = labelled & (label != IGNORE)
        prediction = maps["label"]
        for name, classes in (
            ("truth", truth[labelled]),
            ("covered", truth[chosen]),
            ("kept", label[chosen]),
            ("right", label[chosen & (label == truth)]),
        ):
            setattr(self, name, getattr(self, name) + np.bincount(classes, minlength=self.num_classes))
        for name, histograms in self.ranked.items():
            for counts, pixels in zip(histograms, (labelled, truth == prediction), strict=True):
                count_codes(counts, prediction[pixels], maps[name][pixels])

    def summary(self, class_set: ClassSet) -> dict[str, Any]:
        """Accuracy (of pixels kept) and coverage (of pixels labelled), overall and per class; ``None`` for 0 / 0."""
        rows = zip(class_set.classes, self.truth, self.covered, self.kept, self.right, strict=True)
        return {
            "labelled_images": self.images,
            "accuracy": _share(self.right.sum(), self.kept.sum()),
            "coverage": _share(self.covered.sum(), self.truth.sum()),
            "classes": {
                name: {"accuracy": _share(right, kept), "coverage": _share(covered, truth)}
                for name, truth, covered, kept, right in rows
            },
            "accuracy_at_coverage": {
                measure.name: {
                    str(coverage): accuracy_at(coverage, *self.ranked[measure.name], sure=measure.sure)
                    for coverage in COVERAGES
                }
                for measure in self.measures
            },
        }


def accuracy_at(coverage: float, total: NDArray[np.int64], correct: NDArray[np.int64], *, sure: Sure) -> float | None:
    """The accuracy of the surest ``coverage`` of each predicted class, from histograms (C, K) of one measure.

    ``total`` counts all labelled pixels, ``correct`` those predicted as their true class; ``sure`` says which codes are
    the sure ones. A code that straddles the cut counts in part.
    """
    if sure == "high":
        total, correct = total[:, ::-1], correct[:, ::-1]
    quota = total.sum(axis=1, keepdims=True) * coverage
    before = np.cumsum(total, axis=1) - total
    part = np.clip((quota - before) / np.maximum(total, 1), 0, 1)  # of each code that is taken
    return _share(float((part * correct).sum()), float((part * total).sum()))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
