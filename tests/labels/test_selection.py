"""Thresholds and masks against sorted arrays: the exactness that the histograms promise."""

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.labels.confidence import confidence_maps
from esl.labels.fixed_point import CODES, TOP, count_codes
from esl.labels.rules import RULES, Rule, make_rule
from esl.labels.selection import Threshold, class_threshold, limit_code, order_statistic, pseudo_label

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
        assert limit_code(None, rule) == (-1 if rule.measure == "entropy" else CODES)


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
    assert limit_code(code / TOP, RULES["esl"]) == limit_code(code / TOP, RULES["bdl"]) == code


@given(CODE_LISTS, CODE_LISTS)
def test_histograms_of_shards_add_up_to_the_threshold_of_all_their_pixels(a: list[int], b: list[int]) -> None:
    for rule in RULES.values():
        assert class_threshold(_counts(a) + _counts(b), rule) == class_threshold(_counts(a + b), rule)


@given(st.floats(0, 1))
def test_the_limit_is_the_last_code_on_the_kept_side_of_a_threshold(value: float) -> None:
    values = np.arange(CODES) / TOP
    assert limit_code(value, RULES["esl"]) == np.flatnonzero(values <= value)[-1]
    assert limit_code(value, RULES["bdl"]) == np.flatnonzero(values >= value)[0]


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


def _network(seed: int, sharpness: float) -> tuple[torch.Tensor, list[dict[str, NDArray[Any]]]]:
    """Softmax of random logits (3, 6, 8, 10), float32, and what a shard stores of each image at 23 x 31."""
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(3, 6, 8, 10, generator=generator)
    logits[:, 5] -= 1000  # a class that nobody predicts
    probability = logits.softmax(dim=1)
    stored = [
        {"probability": image.numpy().astype(np.float16), **confidence_maps(image, (23, 31))._asdict()}
        for image in probability
    ]
    return probability, stored


def _select(
    rule: Rule, images: list[dict[str, NDArray[Any]]], num_classes: int = 6
) -> tuple[list[Threshold], NDArray[np.uint8]]:
    """Thresholds and pseudo-labels as the stages make them."""
    histogram = np.zeros((num_classes, CODES), dtype=np.int64)
    for maps in images:
        count_codes(histogram, maps["label"], maps[rule.measure or "entropy"])
    thresholds = [class_threshold(counts, rule) for counts in histogram]
    values = [threshold.value for threshold in thresholds]
    return thresholds, np.stack([pseudo_label(maps, values, rule) for maps in images])


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 12.0])
@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_masks_equal_the_rule_written_with_sorted_floats(name: str, sharpness: float) -> None:
    _, images = _network(int(10 * sharpness), sharpness)
    rule = RULES[name]
    assert rule.measure is not None and rule.bound is not None
    thresholds, masks = _select(rule, images)
    label = np.stack([maps["label"] for maps in images])
    codes = np.stack([maps[rule.measure] for maps in images])
    expected = _masks_by_sorting(
        label, codes / TOP, quantile=rule.quantile, bound=rule.bound, low=rule.measure == "entropy"
    )
    assert np.array_equal(masks, expected)
    assert [threshold.kept for threshold in thresholds] == [(expected == class_).sum() for class_ in range(6)]
    assert masks.dtype == np.uint8 and 0 < (masks == IGNORE).mean() < 1


def _upsampled(probability: NDArray[Any]) -> NDArray[np.float64]:
    """(N, C, 8, 10) -> (N, C, 23, 31) in float64, corners aligned."""
    weights = [
        np.maximum(0, 1 - np.abs(np.linspace(0, old - 1, new)[:, None] - np.arange(old)))
        for old, new in ((8, 23), (10, 31))
    ]
    return np.einsum("Hh,Ww,nchw->ncHW", *weights, probability.astype(np.float64))


def _balanced_by_sorting(probability: NDArray[np.float64], quantile: float) -> NDArray[np.uint8]:
    """CBST (Zou et al. 2018) from full-resolution probabilities (N, C, H, W): sort, cut, weigh, argmax."""
    label, confidence = probability.argmax(axis=1), probability.max(axis=1)
    cuts = np.full(probability.shape[1], np.inf)
    for class_ in np.unique(label):
        chosen = np.sort(confidence[label == class_])
        cuts[class_] = chosen[min(round(len(chosen) * quantile), len(chosen) - 1)]
    ratio = probability / cuts[:, None, None]
    return np.where(ratio.max(axis=1) >= 1, ratio.argmax(axis=1), IGNORE).astype(np.uint8)


@pytest.mark.parametrize("quantile", [0.8, 0.75, 0.5])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 12.0])
def test_cbst_equals_the_published_rule_on_float64_probabilities(sharpness: float, quantile: float) -> None:
    """But for the pixels whose ratio is 1, or whose two best ratios are equal, within the rounding of stored values."""
    probability, images = _network(int(10 * sharpness), sharpness)
    thresholds, masks = _select(make_rule("cbst", quantile=quantile), images)
    full = _upsampled(probability.numpy())
    expected = _balanced_by_sorting(full, quantile)
    cuts = np.array([np.inf if threshold.value is None else threshold.value for threshold in thresholds])
    second, best = np.sort(full / cuts[:, None, None], axis=1)[:, -2:].swapaxes(0, 1)
    clear = (np.abs(best - 1) > 1e-3) & ((best - second > 1e-3) | (best < 1))
    assert np.array_equal(masks[clear], expected[clear])
    assert clear.mean() > 0.9
    assert not (masks == 5).any() and len(np.unique(masks)) == 6  # five classes and IGNORE
    label = np.stack([maps["label"] for maps in images])
    if sharpness < 2 and quantile == 0.5:
        assert ((masks != label) & (masks != IGNORE)).any()  # the balance gave some pixels another class


def test_cbst_cuts_probabilities_near_one_finer_than_float16_stores_them() -> None:
    unsure = torch.linspace(1e-5, 1e-3, 100)
    probability = torch.stack([1 - unsure, unsure])[:, None, :]
    assert len(np.unique(probability.numpy().astype(np.float16)[0])) < 5
    maps = {"probability": probability.numpy().astype(np.float16), **confidence_maps(probability, (1, 100))._asdict()}
    thresholds, masks = _select(make_rule("cbst", quantile=0.8), [maps], 2)
    assert masks[0, 0].tolist() == [0] * thresholds[0].kept + [IGNORE] * (100 - thresholds[0].kept)
    assert 20 <= thresholds[0].kept <= 21  # of 100: two may share a code


def test_cbst_worked_by_hand() -> None:
    """One row of four pixels at the network's own stride, two classes with the thresholds 0.9 and 0.6."""
    first = np.array([0.95, 0.85, 0.35, 0.45])
    maps = {
        "label": np.array([[0, 0, 1, 1]], np.uint8),
        "confidence": np.rint(TOP * np.array([[0.95, 0.85, 0.65, 0.55]])).astype(np.uint16),
        "probability": np.stack([first, 1 - first]).reshape(2, 1, 4).astype(np.float16),
    }
    assert pseudo_label(maps, [0.9, 0.6], RULES["cbst"]).tolist() == [[0, IGNORE, 1, IGNORE]]
    # 0.45 / 0.3 > 0.55 / 0.5: the last pixel goes to the class that did not predict it
    assert pseudo_label(maps, [0.3, 0.5], RULES["cbst"]).tolist() == [[0, 0, 1, 0]]
    assert pseudo_label(maps, [None, 0.5], RULES["cbst"]).tolist() == [[IGNORE, IGNORE, 1, 1]]


def test_a_class_of_one_pixel_keeps_it_and_a_picture_of_one_pixel_too() -> None:
    maps = confidence_maps(torch.tensor([0.6, 0.3, 0.1, 0.0, 0.0, 0.0]).reshape(6, 1, 1), (1, 1))._asdict()
    maps["probability"] = np.array([0.6, 0.3, 0.1, 0, 0, 0], np.float16).reshape(6, 1, 1)
    for rule in RULES.values():
        thresholds, masks = _select(rule, [maps])
        assert masks.tolist() == [[[IGNORE if rule.name == "control" else 0]]]
        assert [threshold.pixels for threshold in thresholds] == [1, 0, 0, 0, 0, 0]


@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_against_unquantised_float64_thresholds_move_by_a_code_and_hardly_a_pixel_differs(name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randn(4, 6, 6, 9, generator=generator)
    logits = 6 * torch.nn.functional.interpolate(coarse, size=(33, 65), mode="bicubic")
    probability = logits.softmax(dim=1)
    maps = [confidence_maps(image, (257, 513))._asdict() for image in probability]
    rule = RULES[name]
    assert rule.bound is not None
    thresholds, masks = _select(rule, maps)
    weights = [
        np.maximum(0, 1 - np.abs(np.linspace(0, old - 1, new)[:, None] - np.arange(old)))
        for old, new in ((33, 257), (65, 513))
    ]
    full = np.einsum("Hh,Ww,nchw->ncHW", *weights, logits.double().softmax(dim=1).numpy(), optimize=True)
    label = full.argmax(axis=1).astype(np.uint8)
    low = rule.measure == "entropy"
    value = -(full * np.log(full)).sum(axis=1) / np.log(6) if low else full.max(axis=1)
    for class_, threshold in enumerate(thresholds):
        chosen = np.sort(value[label == class_])
        cut = chosen[min(round(len(chosen) * rule.quantile), len(chosen) - 1)]
        assert threshold.quantile_value == pytest.approx(cut, abs=1 / TOP)
    expected = _masks_by_sorting(label, value, quantile=rule.quantile, bound=rule.bound, low=low)
    assert np.mean(masks != expected) <= 1e-4


def test_control_keeps_nothing() -> None:
    counts = _counts(list(range(0, TOP, 100)))
    threshold = class_threshold(counts, RULES["control"])
    assert (threshold.pixels, threshold.value, threshold.kept) == (counts.sum(), None, 0)
    label = np.array([[0, 1]], dtype=np.uint8)
    assert pseudo_label({"label": label}, [None, None], RULES["control"]).tolist() == [[IGNORE, IGNORE]]
