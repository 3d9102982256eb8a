"""Histograms of stored codes -> per-class thresholds -> which pixels keep their pseudo-label.

Everything here is exact: thresholds are order statistics of the very codes that masking reads, over the whole data set.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.errors import InputError
from esl.fixed_point import CODES, TOP


@dataclass(frozen=True)
class Rule:
    """A selection rule: which map it reads, at which quantile it cuts each predicted class, and the bound on that cut.

    ``measure`` "entropy" keeps values at or below max(quantile, bound); "confidence" keeps values at or above
    min(quantile, bound); ``None`` keeps nothing.
    """

    name: str
    measure: Literal["entropy", "confidence"] | None
    quantile: float  # fraction of the sorted values, in [0, 1]
    bound: float  # in [0, 1], a value of the measure


RULES = {
    "esl": Rule("esl", "entropy", 0.5, 0.1),  # Saporta et al. 2020, section 3.2
    "bdl": Rule("bdl", "confidence", 0.5, 0.9),  # Li et al. 2019
    "fda": Rule("fda", "confidence", 0.66, 0.9),  # Yang & Soatto 2020
    "control": Rule("control", None, 0.0, 0.0),  # keeps nothing: the same training without pseudo-labels
}


def make_rule(name: str, quantile: float | None = None, bound: float | None = None) -> Rule:
    """The rule called ``name``, with its published quantile and bound unless others are given.

    Raises:
        InputError: no such rule, or a value outside [0, 1].
    """
    if name not in RULES:
        raise InputError(f"rule: expected one of {', '.join(RULES)}, but got {name!r}")
    rule = RULES[name]
    chosen_quantile = rule.quantile if quantile is None else quantile
    chosen_bound = rule.bound if bound is None else bound
    for key, value in (("quantile", chosen_quantile), ("bound", chosen_bound)):
        if not 0 <= value <= 1:
            raise InputError(f"{name}.{key}: expected a fraction in [0, 1], but got {value}")
    return Rule(name, rule.measure, chosen_quantile, chosen_bound)


@dataclass(frozen=True)
class Threshold:
    """The cut of one predicted class. ``quantile_value`` and ``value`` are ``None`` where nothing can be kept."""

    pixels: int  # predicted as this class, over the whole data set
    quantile_value: float | None
    value: float | None  # the threshold itself: the quantile value after the bound
    bounded: bool  # whether the bound took the place of the quantile
    kept: int  # pixels that keep their pseudo-label


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
    quantile_value = code / TOP
    value = max(quantile_value, rule.bound) if rule.measure == "entropy" else min(quantile_value, rule.bound)
    kept = int(counts[kept_codes(value, rule)].sum())
    return Threshold(pixels, quantile_value, value, value != quantile_value, kept)


def kept_codes(value: float | None, rule: Rule) -> NDArray[np.bool_]:
    """Which of the 65536 codes a threshold ``value`` in [0, 1] keeps: (65536,) bool; none for ``None``."""
    values = np.arange(CODES) / TOP
    if value is None or rule.measure is None:
        return np.zeros(CODES, dtype=np.bool_)
    return values <= value if rule.measure == "entropy" else values >= value


def pseudo_label(label: NDArray[np.uint8], codes: NDArray[np.uint16], kept_CK: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """``label`` where its class keeps its code, else ``IGNORE``: (H, W) uint8 trainIds.

    ``kept_CK`` (C, 65536) bool is one row of ``kept_codes`` for each class.
    """
    return np.where(kept_CK[label, codes], label, np.uint8(IGNORE))
