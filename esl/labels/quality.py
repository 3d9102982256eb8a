"""Pseudo-labels against target labels: a diagnosis, never used for training or selection."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.labels.fixed_point import CODES, count_codes
from esl.labels.shard import MEASURES, Maps

COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of each predicted class at which the two measures of confidence are compared."""


@dataclass
class Quality:
    """Counts of pseudo-labels against target labels: a diagnosis, never used for training or selection."""

    num_classes: int
    images: int = 0
    truth: NDArray[np.int64] = field(init=False)  # (C) labelled pixels of each true class
    covered: NDArray[np.int64] = field(init=False)  # (C) of them with a pseudo-label
    kept: NDArray[np.int64] = field(init=False)  # (C) labelled pixels pseudo-labelled as the class
    right: NDArray[np.int64] = field(init=False)  # (C) of them rightly
    ranked: dict[str, NDArray[np.int64]] = field(init=False)  # measure -> (2, C, 65536): all and rightly predicted

    def __post_init__(self) -> None:
        for name in ("truth", "covered", "kept", "right"):
            setattr(self, name, np.zeros(self.num_classes, dtype=np.int64))
        self.ranked = {measure: np.zeros((2, self.num_classes, CODES), dtype=np.int64) for measure in MEASURES}

    def add(self, truth: NDArray[np.uint8], label: NDArray[np.uint8], maps: Maps) -> None:
        """Counts one image: true trainIds, its pseudo-label, and of the maps behind it those that there are (H, W)."""
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
        for measure in self.ranked.keys() & maps.keys():
            for counts, pixels in zip(self.ranked[measure], (labelled, truth == prediction), strict=True):
                count_codes(counts, prediction[pixels], maps[measure][pixels])

    def summary(self, class_set: ClassSet) -> dict[str, Any]:
        """Accuracy (of what is kept) and coverage (of what is there), in all and per class; ``None`` for 0 / 0."""
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
                measure: {
                    str(coverage): accuracy_at(coverage, *counts, best="low" if measure == "entropy" else "high")
                    for coverage in COVERAGES
                }
                for measure, counts in self.ranked.items()
            },
        }


def accuracy_at(
    coverage: float, everything: NDArray[np.int64], rightly: NDArray[np.int64], *, best: str
) -> float | None:
    """The accuracy of the most confident ``coverage`` of each predicted class, from histograms (C, K) of one measure.

    ``best`` tells whether "low" or "high" codes are the confident ones. A code that straddles the cut counts in part.
    """
    if best == "high":
        everything, rightly = everything[:, ::-1], rightly[:, ::-1]
    wanted = everything.sum(axis=1, keepdims=True) * coverage
    before = np.cumsum(everything, axis=1) - everything
    part = np.clip((wanted - before) / np.maximum(everything, 1), 0, 1)  # of each code that is taken
    return _share(float((part * rightly).sum()), float((part * everything).sum()))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
