"""Thresholds and masks against sorted arrays: the exactness that the histograms promise."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.confidence import confidence_maps
from esl.errors import InputError
from esl.fixed_point import CODES, TOP, code_histogram
from esl.selection import RULES, Rule, class_threshold, kept_codes, make_rule, order_statistic, pseudo_label

CODE_LISTS = st.lists(st.one_of(st.integers(0, TOP), st.sampled_from([0, 7, 7, TOP])), min_size=1, max_size=60)
QUANTILES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.66, 0.8, 1.0]))


def _counts(codes: list[int] | NDArray[np.uint16]) -> NDArray[np.int64]:
    return np.bincount(codes, minlength=CODES)


# ------------------------------------------------------------------------------------------------ order statistics


@given(CODE_LISTS, QUANTILES)
def test_the_order_statistic_is_the_sorted_element_of_its_rank(codes: list[int], quantile: float) -> None:
    rank = min(round(len(codes) * quantile), len(codes) - 1)
    assert order_statistic(_counts(codes), quantile) == np.sort(codes)[rank]


@pytest.mark.parametrize(
    ("n", "quantile", "rank"),
    [
        (1, 0.0, 0), (1, 0.5, 0), (1, 1.0, 0),
        (2, 0.5, 1),
        (3, 0.5, 2),  # round(1.5): half to even, upwards
        (5, 0.5, 2),  # round(2.5): half to even, downwards
        (7, 0.5, 4),  # round(3.5)
        (4, 0.0, 0), (4, 1.0, 3),
        (3, 0.66, 2),  # round(1.98)
        (100, 0.66, 66),
    ],
)  # fmt: skip
def test_ranks_worked_by_hand(n: int, quantile: float, rank: int) -> None:
    codes = list(range(1000, 1000 + 3 * n, 3))
    assert order_statistic(_counts(codes), quantile) == codes[rank]


def test_ties_and_empty_codes_around_them_do_not_shift_the_rank() -> None:
    assert [order_statistic(_counts([5, 5, 5, 9]), q) for q in (0.0, 0.5, 0.75, 1.0)] == [5, 5, 9, 9]


def test_counts_of_a_full_data_set_stay_exact() -> None:
    """Cityscapes train holds 6.2e9 pixels, more than 32 bits can count."""
    counts = np.zeros(CODES, dtype=np.int64)
    counts[[10, 20]] = [3_100_000_000, 3_100_000_001]
    assert order_statistic(counts, 0.5) == 20  # round(3100000000.5) = 3100000000: the first of the second code
    counts[[10, 20]] = [3_100_000_001, 3_100_000_000]
    assert order_statistic(counts, 0.5) == 10


# ------------------------------------------------------------------------------------------------------ thresholds


def test_a_class_that_nobody_predicts_has_no_threshold_and_keeps_nothing() -> None:
    for rule in RULES.values():
        threshold = class_threshold(np.zeros(CODES, dtype=np.int64), rule)
        assert (threshold.pixels, threshold.quantile_value, threshold.value) == (0, None, None)
        assert (threshold.bounded, threshold.kept) == (False, 0)
        assert not kept_codes(None, rule).any()


@pytest.mark.parametrize(
    ("name", "codes", "quantile_code", "value", "bounded", "kept"),
    [
        # the bound 0.1 stands at code 6553.5
        ("esl", [100, 200, 300, 6553, 6554], 300, 0.1, True, 4),
        ("esl", [100, 6553, 7000, 7001, 60000], 7000, 7000 / TOP, False, 3),
        ("esl", [6554], 6554, 6554 / TOP, False, 1),
        # the bound 0.9 stands at code 58981.5
        ("bdl", [100, 58981, 58982, 60000, 65535], 58982, 0.9, True, 3),
        ("bdl", [100, 200, 300, 60000, 65535], 300, 300 / TOP, False, 3),
        ("fda", [100, 200, 300, 58981, 65535], 58981, 58981 / TOP, False, 2),  # rank round(3.3) = 3
        ("fda", [100, 200, 300, 58982, 65535], 58982, 0.9, True, 2),
    ],
)
def test_thresholds_worked_by_hand(
    name: str, codes: list[int], quantile_code: int, value: float, bounded: bool, kept: int
) -> None:
    threshold = class_threshold(_counts(codes), RULES[name])
    assert threshold.pixels == len(codes)
    assert threshold.quantile_value == quantile_code / TOP
    assert threshold.value == value
    assert threshold.bounded is bounded
    assert threshold.kept == kept


@given(CODE_LISTS, QUANTILES, st.floats(0, 1), st.sampled_from(["entropy", "confidence"]))
def test_kept_equals_a_count_of_the_codes_one_by_one(
    codes: list[int], quantile: float, bound: float, measure: str
) -> None:
    rule = Rule("any", measure, quantile, bound)  # type: ignore[arg-type]
    threshold = class_threshold(_counts(codes), rule)
    assert threshold.value is not None
    if measure == "entropy":
        assert threshold.kept == sum(code / TOP <= threshold.value for code in codes)
        assert threshold.value == max(threshold.quantile_value, bound)
    else:
        assert threshold.kept == sum(code / TOP >= threshold.value for code in codes)
        assert threshold.value == min(threshold.quantile_value, bound)
    assert threshold.bounded == (threshold.value != threshold.quantile_value)


@given(st.integers(0, TOP))
def test_a_threshold_keeps_the_very_code_that_it_came_from(code: int) -> None:
    entropy, confidence = kept_codes(code / TOP, RULES["esl"]), kept_codes(code / TOP, RULES["bdl"])
    assert entropy.sum() == code + 1 and entropy[: code + 1].all()
    assert confidence.sum() == CODES - code and confidence[code:].all()


@given(CODE_LISTS, CODE_LISTS)
def test_histograms_of_shards_add_up_to_the_threshold_of_all_their_pixels(a: list[int], b: list[int]) -> None:
    for rule in RULES.values():
        assert class_threshold(_counts(a) + _counts(b), rule) == class_threshold(_counts(a + b), rule)


def test_the_published_rules() -> None:
    assert {name: (rule.measure, rule.quantile, rule.bound) for name, rule in RULES.items() if rule.measure} == {
        "esl": ("entropy", 0.5, 0.1),
        "bdl": ("confidence", 0.5, 0.9),
        "fda": ("confidence", 0.66, 0.9),
    }


def test_a_given_quantile_or_bound_takes_the_place_of_the_published_one_even_when_it_is_zero() -> None:
    assert make_rule("esl") == RULES["esl"]
    assert make_rule("esl", quantile=0.0) == Rule("esl", "entropy", 0.0, 0.1)
    assert make_rule("bdl", bound=0.0) == Rule("bdl", "confidence", 0.5, 0.0)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf])
def test_a_fraction_outside_zero_and_one_is_refused_by_name(bad: float) -> None:
    with pytest.raises(InputError, match=r"esl\.quantile"):
        make_rule("esl", quantile=bad)
    with pytest.raises(InputError, match=r"fda\.bound"):
        make_rule("fda", bound=bad)


def test_an_unknown_rule_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"esl, bdl, fda, control, but got 'esk'"):
        make_rule("esk")


# ----------------------------------------------------------------------------------------------------------- masks


def _masks_by_sorting(
    label: NDArray[np.uint8], value: NDArray[np.float64], *, quantile: float, bound: float, low: bool
) -> NDArray[np.uint8]:
    """The selection as the papers' code writes it: sort the values of each predicted class, cut, mask."""
    kept = np.full_like(label, IGNORE)
    for class_ in np.unique(label):
        chosen = np.sort(value[label == class_])
        cut = chosen[min(round(len(chosen) * quantile), len(chosen) - 1)]
        cut = max(cut, bound) if low else min(cut, bound)
        kept[(label == class_) & (value <= cut if low else value >= cut)] = class_
    return kept


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 12.0])
@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_masks_equal_the_rule_written_with_sorted_floats(name: str, sharpness: float) -> None:
    generator = torch.Generator().manual_seed(int(10 * sharpness))
    logits = sharpness * torch.randn(3, 6, 8, 10, generator=generator)
    logits[:, 5] -= 1000  # a class that nobody predicts
    maps = confidence_maps(logits.softmax(dim=1), (23, 31))
    rule = RULES[name]
    codes = maps.entropy if rule.measure == "entropy" else maps.confidence
    histogram = sum(code_histogram(*image, 6) for image in zip(maps.label, codes, strict=True))
    thresholds = [class_threshold(counts, rule) for counts in histogram]
    kept = np.stack([kept_codes(threshold.value, rule) for threshold in thresholds])
    masks = np.stack([pseudo_label(*image, kept) for image in zip(maps.label, codes, strict=True)])
    expected = _masks_by_sorting(
        maps.label, codes / TOP, quantile=rule.quantile, bound=rule.bound, low=rule.measure == "entropy"
    )
    assert np.array_equal(masks, expected)
    assert [threshold.kept for threshold in thresholds] == [(expected == class_).sum() for class_ in range(6)]
    assert masks.dtype == np.uint8 and 0 < (masks == IGNORE).mean() < 1


def test_control_keeps_nothing() -> None:
    counts = _counts(list(range(0, TOP, 100)))
    threshold = class_threshold(counts, RULES["control"])
    assert (threshold.pixels, threshold.value, threshold.kept) == (counts.sum(), None, 0)
    assert not kept_codes(0.5, RULES["control"]).any()
    kept = np.stack([kept_codes(threshold.value, RULES["control"])] * 2)
    label, codes = np.array([[0, 1]], dtype=np.uint8), np.array([[0, TOP]], dtype=np.uint16)
    assert pseudo_label(label, codes, kept).tolist() == [[IGNORE, IGNORE]]
