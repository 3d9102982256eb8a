"""Histograms of stored codes -> per-class thresholds -> which pixels keep which pseudo-label.

Thresholds are exact: order statistics of the very codes that masking reads, over the whole data set.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.labels.confidence import best_class, upsampled_tiles
from esl.labels.fixed_point import CODES, TOP
from esl.labels.rules import Rule

VALUES = np.arange(CODES) / TOP
"""The value of every code."""


@dataclass(frozen=True)
class Threshold:
    """The cut of one predicted class. ``quantile_value`` and ``value`` are ``None`` where nothing can be kept."""

    pixels: int  # predicted as this class, over the whole data set
    quantile_value: float | None
    value: float | None  # the threshold itself: the quantile value after the bound
    bounded: bool  # whether the bound took the place of the quantile
    kept: int  # of the pixels, those on the kept side of the threshold


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


def class_threshold(counts: NDArray[np.int64], rule: Rule) -> Threshold:
    """The threshold of one class from the histogram (65536,) of the rule's measure over the pixels predicted as it."""
    pixels = int(counts.sum())
    code = order_statistic(counts, rule.quantile)
    if rule.measure is None or code is None:
        return Threshold(pixels, None, None, False, 0)
    value = quantile_value = code / TOP
    if rule.bound is not None:
        value = max(value, rule.bound) if rule.measure == "entropy" else min(value, rule.bound)
    limit = limit_code(value, rule)
    kept = counts[: limit + 1] if rule.measure == "entropy" else counts[limit:]
    return Threshold(pixels, quantile_value, value, value != quantile_value, int(kept.sum()))


def limit_code(value: float | None, rule: Rule) -> int:
    """The last code that a threshold in [0, 1] keeps: the largest of an entropy, the smallest of a confidence.

    ``None`` keeps nothing: -1 of an entropy, 65536 of a confidence.
    """
    if rule.measure == "entropy":
        return -1 if value is None else int(np.searchsorted(VALUES, value, side="right")) - 1
    return CODES if value is None else int(np.searchsorted(VALUES, value, side="left"))


def pseudo_label(maps: Mapping[str, NDArray[Any]], thresholds: Sequence[float | None], rule: Rule) -> NDArray[np.uint8]:
    """The pseudo-label of one image, trainIds or ``IGNORE``: (H, W) uint8.

    ``maps`` holds at least the ``rule.maps`` of a shard: ``label`` (H, W), codes (H, W), ``probability`` (C, h, w).
    ``thresholds`` (C) are the ``Threshold.value`` of every class.
    """
    label: NDArray[np.uint8] = maps["label"]
    if rule.measure is None:
        return np.full_like(label, IGNORE)
    if rule.by_ratio:
        return _label_of_best_ratio(label, maps[rule.measure], maps["probability"], thresholds)
    limits = np.array([limit_code(value, rule) for value in thresholds], dtype=np.int32)[label]
    kept = maps[rule.measure] <= limits if rule.measure == "entropy" else maps[rule.measure] >= limits
    return np.where(kept, label, np.uint8(IGNORE))


def _label_of_best_ratio(
    label: NDArray[np.uint8],
    confidence: NDArray[np.uint16],
    probability: NDArray[np.float16],
    thresholds: Sequence[float | None],
) -> NDArray[np.uint8]:
    """argmax_c p_c / t_c where that is at least 1 (Zou et al. 2018, eq. 6); a class without threshold is never chosen.

    The probability of the predicted class is its exact code: float16 is 30 times coarser than a code near 1, where
    the thresholds of sure classes lie. The other classes' come from the stored probability.
    """
    weights = np.array([0.0 if value is None else 1 / value for value in thresholds], dtype=np.float32)
    cuts = np.array([np.inf if value is None else value for value in thresholds])
    own = (confidence / TOP / cuts[label]).astype(np.float32)
    chosen = np.empty_like(label)
    for rows, ratio in upsampled_tiles(probability.astype(np.float32) * weights[:, None, None], label.shape):
        np.put_along_axis(ratio, label[rows][np.newaxis].astype(np.intp), own[rows][np.newaxis], axis=0)
        best = ratio.max(axis=0)
        chosen[rows] = np.where(best >= 1, best_class(ratio, best), IGNORE)
    return chosen
