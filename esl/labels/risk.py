"""How well confidence measures rank a network's predictions: risk-coverage curves, exact, from histograms of codes.

Pixels are ranked from the most to the least confident code of a measure. Risk is the share of wrong predictions. Pixels
of one code are equally confident: every number here is the expectation over all their orders. It comes from two
histograms, of all pixels and of the correctly predicted ones, so its cost does not grow with the number of pixels.

Shape suffixes: C classes, K codes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.labels.fixed_point import CODES, count_codes
from esl.labels.manifest import MeasureRisk, RiskCoverage
from esl.labels.measures.base import Maps, Measure, Sure

COVERAGES = (0.3, 0.5, 0.7, 0.9)
"""Shares of the most confident pixels at which the accuracy is reported."""

EXACT = 64
"""Harmonic numbers below this one are summed; from here on their expansion is exact to a rounding error."""


class Ranking:
    """Labelled pixels of each predicted class at each code of every measure, added up image by image."""

    def __init__(self, num_classes: int, measures: Sequence[Measure]) -> None:
        self.measures = measures
        self.counts = {measure.name: np.zeros((2, num_classes, CODES), dtype=np.int64) for measure in measures}
        """Measure -> (2, C, K): all pixels, and those predicted correctly."""

    def add(self, truth: NDArray[np.uint8], maps: Maps) -> None:
        """Counts one image: its true trainIds, and its maps ``label`` and of every measure; all (H, W)."""
        prediction = maps["label"]
        for name, histograms in self.counts.items():
            for counts, pixels in zip(histograms, (truth != IGNORE, truth == prediction), strict=True):
                count_codes(counts, prediction[pixels], maps[name][pixels])

    def summary(self, class_set: ClassSet) -> dict[str, MeasureRisk]:
        """The ranking by each measure, of all pixels and of those predicted as each class."""
        return {measure.name: self._of(measure, class_set) for measure in self.measures}

    def _of(self, measure: Measure, class_set: ClassSet) -> MeasureRisk:
        counts = self.counts[measure.name]
        rows = zip(class_set.classes, counts.swapaxes(0, 1), strict=True)
        classes = {name: risk_coverage(*row, sure=measure.sure) for name, row in rows}
        whole = risk_coverage(*counts.sum(axis=1), sure=measure.sure)
        return MeasureRisk(augrc=whole.augrc, aurc=whole.aurc, accuracy=whole.accuracy, classes=classes)


def risk_coverage(total_K: NDArray[np.int64], correct_K: NDArray[np.int64], *, sure: Sure) -> RiskCoverage:
    """The ranking of pixels by the codes of a measure; every number is ``None`` for no pixels.

    ``total_K`` counts pixels at each code, ``correct_K`` those predicted correctly.
    """
    total, correct = total_K[None], correct_K[None]
    return RiskCoverage(
        augrc=augrc(total_K, correct_K, sure=sure),
        aurc=aurc(total_K, correct_K, sure=sure),
        accuracy={str(coverage): accuracy_at(coverage, total, correct, sure=sure) for coverage in COVERAGES},
    )


def augrc(total_K: NDArray[np.int64], correct_K: NDArray[np.int64], *, sure: Sure) -> float | None:
    """The area under the generalised risk-coverage curve, in [0, 1/2]; low is good (Traub et al. 2024).

    The curve goes through (k/n, errors among the k most confident / n), k = 0 ... n, in straight lines, so the area is
    (1 - AUROC) a (1 - a) + (1 - a)^2 / 2 at the accuracy a, as Traub et al. show.

    >>> augrc(np.array([2, 2]), np.array([2, 0]), sure="low"), augrc(np.array([4]), np.array([2]), sure="low")
    (0.125, 0.25)
    """
    total, errors, pixels = _ranked(total_K, correct_K, sure)
    if not pixels:
        return None
    curve = np.concatenate([[0], np.cumsum(errors)]) / pixels
    return float(((curve[1:] + curve[:-1]) / 2 * total).sum() / pixels)


def aurc(total_K: NDArray[np.int64], correct_K: NDArray[np.int64], *, sure: Sure) -> float | None:
    """The area under the risk-coverage curve, in [0, 1]; low is good (Geifman, Uziel, El-Yaniv 2019).

    It is the mean over k = 1 ... n of the risk of the k most confident pixels, (errors among them) / k. Among the m
    pixels of a code, e of them wrong, that follow b pixels with E errors, the expected errors grow by q = e / m per
    pixel; the sum of (E + (k - b) q) / k over them is m q + (E - b q) (H(b + m) - H(b)), with harmonic numbers H.

    >>> round(aurc(np.array([1, 2]), np.array([1, 1]), sure="low"), 12) == round((0 + 1 / 4 + 1 / 3) / 3, 12)
    True
    """
    total, errors, pixels = _ranked(total_K, correct_K, sure)
    if not pixels:
        return None
    last = np.cumsum(total)
    before, errors_before = last - total, np.cumsum(errors) - errors
    rate = errors / total
    sums = errors + (errors_before - before * rate) * (harmonic(last) - harmonic(before))
    return float(sums.sum() / pixels)


def harmonic(number: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 + 1/2 + ... + 1/n of every number; 0 of 0.

    >>> harmonic(np.array([0, 1, 2]))
    array([0. , 1. , 1.5])
    """
    few = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, EXACT))])
    n = np.maximum(number, EXACT).astype(np.float64)
    many = np.log(n) + np.euler_gamma + 1 / (2 * n) - 1 / (12 * n**2) + 1 / (120 * n**4) - 1 / (252 * n**6)
    return np.where(number < EXACT, few[np.minimum(number, EXACT - 1)], many)


def accuracy_at(coverage: float, total: NDArray[np.int64], correct: NDArray[np.int64], *, sure: Sure) -> float | None:
    """The accuracy of the most confident ``coverage`` of each row of the histograms (R, K), where a row may be a class.

    ``total`` counts all labelled pixels, ``correct`` those predicted as their true class; ``sure`` says whether low or
    high codes are confident. A code that straddles the cut counts in part.
    """
    if sure == "high":
        total, correct = total[:, ::-1], correct[:, ::-1]
    quota = total.sum(axis=1, keepdims=True) * coverage
    before = np.cumsum(total, axis=1) - total
    part = np.clip((quota - before) / np.maximum(total, 1), 0, 1)  # of each code that is taken
    return share(float((part * correct).sum()), float((part * total).sum()))


def share(part: float, whole: float) -> float | None:
    """``part / whole``; ``None`` for 0 / 0."""
    return float(part / whole) if whole else None


def _ranked(
    total_K: NDArray[np.int64], correct_K: NDArray[np.int64], sure: Sure
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """Pixels and errors at each code that some pixel has, the most confident code first, and the number of pixels."""
    order = slice(None) if sure == "low" else slice(None, None, -1)
    total, errors = total_K[order], (total_K - correct_K)[order]
    held = total > 0
    return total[held], errors[held], int(total.sum())
