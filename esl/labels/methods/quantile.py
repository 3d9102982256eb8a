"""Thresholds from a quantile of each predicted class, and the methods based on them alone.

Thresholds are exact: order statistics of the codes that masking reads, over the whole dataset.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.labels.fixed_point import CODES, TOP
from esl.labels.measures.base import Maps, Measure, Sure
from esl.labels.methods.base import Histograms, Method, MethodSettings, Threshold
from esl.settings import Number

VALUES = np.arange(CODES) / TOP
"""The value of every code."""


class QuantileSettings(MethodSettings):
    """The settings of a ``QuantileMethod``; a subclass gives both a default."""

    quantile: Number
    bound: Number


class QuantileMethod(Method):
    """Keeps the confident side of a quantile of each predicted class, and everything more confident than a bound.

    For a measure that is low where the network is confident, pixels at or below max(quantile, bound) are kept; for one
    that is high, pixels at or above min(quantile, bound).
    """

    measure: Measure
    settings: QuantileSettings

    def thresholds(self, histograms: Histograms, round_: int) -> list[Threshold]:
        """One per class, the same in every round."""
        return [
            class_threshold(counts, self.measure.sure, self.settings.quantile, self.settings.bound)
            for counts in histograms[self.measure.name]
        ]

    def label(self, maps: Maps, thresholds: Sequence[float | None]) -> NDArray[np.uint8]:
        """The predicted class where the threshold keeps it."""
        return cut(maps["label"], maps[self.measure.name], thresholds, self.measure.sure)


def cut(
    label: NDArray[np.uint8], codes: NDArray[np.uint16], thresholds: Sequence[float | None], sure: Sure
) -> NDArray[np.uint8]:
    """``label`` (H, W) where its ``codes`` (H, W) are on the confident side of its threshold, else ``IGNORE``."""
    limits = np.array([limit_code(value, sure) for value in thresholds], dtype=np.int32)[label]
    return np.where(codes <= limits if sure == "low" else codes >= limits, label, np.uint8(IGNORE))


def order_statistic(counts: NDArray[np.int64], quantile: float) -> int | None:
    """The code of rank round(n * quantile) among n codes counted by a histogram (K,); ``None`` when n = 0.

    Ranks start from 0, halves round to even, and the last rank is n - 1: the element that
    ``numpy.sort(codes)[round(n * quantile)]`` names in the published code of ESL and BDL.

    >>> order_statistic(np.array([2, 0, 1, 1]), 0.5)
    2
    """
    pixels = int(counts.sum())
    if pixels == 0:
        return None
    rank = min(round(pixels * quantile), pixels - 1)
    return int(np.searchsorted(np.cumsum(counts), rank, side="right"))


def class_threshold(counts: NDArray[np.int64], sure: Sure, quantile: float, bound: float | None = None) -> Threshold:
    """The threshold of one class from the histogram (65536,) of a measure over the pixels predicted as it.

    ``quantile`` is the rank of the cut among the sorted values, a share in [0, 1]. Without a ``bound`` it is the cut.
    """
    pixels = int(counts.sum())
    code = order_statistic(counts, quantile)
    if code is None:
        return Threshold(pixels=pixels)
    value = quantile_value = code / TOP
    if bound is not None:
        value = max(value, bound) if sure == "low" else min(value, bound)
    return Threshold(
        pixels=pixels,
        quantile_value=quantile_value,
        value=value,
        bounded=value != quantile_value,
        kept=int(counts[kept_codes(value, sure)].sum()),
    )


def kept_codes(value: float | None, sure: Sure) -> slice:
    """The codes that a threshold keeps.

    >>> kept_codes(0.5, "low"), kept_codes(0.5, "high"), kept_codes(None, "low")
    (slice(0, 32768, None), slice(32768, 65536, None), slice(0, 0, None))
    """
    limit = limit_code(value, sure)
    return slice(0, limit + 1) if sure == "low" else slice(limit, CODES)


def limit_code(value: float | None, sure: Sure) -> int:
    """The last code that a threshold in [0, 1] keeps: the largest where low is confident, the smallest where high is.

    ``None`` keeps nothing: -1 where low is confident, 65536 where high is.
    """
    if sure == "low":
        return -1 if value is None else int(np.searchsorted(VALUES, value, side="right")) - 1
    return CODES if value is None else int(np.searchsorted(VALUES, value, side="left"))
