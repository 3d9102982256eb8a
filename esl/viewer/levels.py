"""The positions of a threshold slider: codes of a measure between which every pixel has one of at most 255 levels.

A pixel is kept at position k exactly where its level is at most k. Position -1 keeps nothing, the last one everything.
Shape suffixes: C classes, K codes, L levels.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from esl.labels.fixed_point import CODES, TOP
from esl.labels.measures.base import Measure
from esl.labels.methods.quantile import limit_code

QUANTILES = 80
"""Positions that are spread over the data; those of thresholds come on top."""

MOST_LEVELS = 255
"""Levels travel as bytes, and 255 stays free."""


@dataclass(frozen=True)
class Scale:
    """The positions of one measure.

    A rank is a code counted from the most confident one: the code itself where low is sure.
    """

    measure: Measure
    edges: NDArray[np.int64]
    """(L) The last rank that each position keeps, ascending; that of the last position is 65535."""

    @cached_property
    def level_of_code(self) -> NDArray[np.uint8]:
        """(K) The level of every code."""
        ranks = np.searchsorted(self.edges, np.arange(CODES)).astype(np.uint8)
        return ranks if self.measure.sure == "low" else ranks[::-1].copy()

    def position(self, threshold: float | None) -> int | None:
        """The position that keeps what ``threshold`` does; ``None`` where no position does."""
        if threshold is None:
            return -1
        rank = _rank(limit_code(threshold, self.measure.sure), self.measure)
        place = int(np.searchsorted(self.edges, rank))
        return place if self.edges[place] == rank else None

    @property
    def thresholds(self) -> list[float]:
        """The threshold of every position: the one with fewest digits that makes exactly this cut."""
        return [shortest(int(rank), self.measure) for rank in self.edges]

    def binned(self, counts_CK: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pixels at each level, from those at each code: (C, L)."""
        ordered = counts_CK if self.measure.sure == "low" else counts_CK[:, ::-1]
        return np.diff(np.cumsum(ordered, axis=1)[:, self.edges], axis=1, prepend=0)


def scale_of(measure: Measure, counts_CK: NDArray[np.int64], thresholds: Iterable[float | None]) -> Scale:
    """The positions of a measure: those of ``thresholds``, then quantiles of the pixels, counted by code in each class.

    Half of the quantiles' weight is that of all pixels, half is shared by the classes, so that rare ones get positions
    too. ``thresholds`` that come first are taken first, should they be too many.
    """
    ordered = (counts_CK if measure.sure == "low" else counts_CK[:, ::-1]).astype(np.float64)
    pixels = ordered.sum(axis=1, keepdims=True)
    seen = pixels[:, 0] > 0
    weight = ordered.sum(axis=0) / max(pixels.sum(), 1)
    if seen.any():
        weight = weight + (ordered[seen] / pixels[seen]).mean(axis=0)
    shares = np.cumsum(weight) / max(weight.sum(), 1e-300)
    quantiles = np.searchsorted(shares, np.arange(1, QUANTILES) / QUANTILES)
    chosen = {TOP}
    for threshold in thresholds:
        if threshold is not None and len(chosen) < MOST_LEVELS:
            chosen.add(_rank(limit_code(threshold, measure.sure), measure))
    for rank in quantiles.tolist():
        if len(chosen) < MOST_LEVELS:
            chosen.add(min(rank, TOP))
    return Scale(measure, np.array(sorted(chosen), dtype=np.int64))


def shortest(rank: int, measure: Measure) -> float:
    """The threshold with the fewest digits that keeps exactly the ranks up to ``rank``.

    >>> from esl.labels.measures.build import measure_named
    >>> shortest(6553, measure_named("entropy")), shortest(6553, measure_named("confidence"))
    (0.1, 0.9)
    """
    low = measure.sure == "low"
    code = _rank(rank, measure)
    for digits in range(1, 6):  # codes are 1.5e-5 apart, so five digits always suffice
        unit = 10**digits
        value: float = (math.ceil(code / TOP * unit) if low else math.floor(code / TOP * unit)) / unit
        if 0 <= value <= 1 and limit_code(value, measure.sure) == code:
            return value
    return code / TOP


def _rank(code: int, measure: Measure) -> int:
    """The rank of a code, and the code of a rank."""
    return code if measure.sure == "low" else TOP - code
