"""Thresholds and masks of a quantile and a bound against sorted arrays: the exactness that histograms promise."""

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
from esl.labels.measures.base import Sure
from esl.labels.methods.base import Threshold
from esl.labels.methods.build import build_method
from esl.labels.methods.quantile import QuantileMethod, class_threshold, limit_code, order_statistic

CODE_LISTS = st.lists(st.one_of(st.integers(0, TOP), st.sampled_from([0, 7, 7, TOP])), min_size=1, max_size=60)
QUANTILES = st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.2, 0.5, 0.66, 0.8, 1.0]))


def _quantile_method(name: str) -> QuantileMethod:
    method = build_method(name)
    assert isinstance(method, QuantileMethod)
    return method


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


def test_counts_of_a_full_dataset_stay_exact() -> None:
    """Cityscapes train holds 6.2e9 pixels, more than 32 bits can count."""
    counts = np.zeros(CODES, dtype=np.int64)
    counts[[10, 20]] = [3_100_000_000, 3_100_000_001]
    assert order_statistic(counts, 0.5) == 20  # round(3100000000.5) = 3100000000: the first of the second code
    counts[[10, 20]] = [3_100_000_001, 3_100_000_000]
    assert order_statistic(counts, 0.5) == 10


# ------------------------------------------------------------------------------------------------------ thresholds


@pytest.mark.parametrize(
    ("name", "codes", "quantile_code", "value", "bounded", "kept"),
    [
        # the bound 0.1 is at code 6553.5
        ("esl", [100, 200, 300, 6553, 6554], 300, 0.1, True, 4),
        ("esl", [100, 6553, 7000, 7001, 60000], 7000, 7000 / TOP, False, 3),
        ("esl", [6554], 6554, 6554 / TOP, False, 1),
        # the bound 0.9 is at code 58981.5
        ("bdl", [100, 58981, 58982, 60000, 65535], 58982, 0.9, True, 3),
        ("bdl", [100, 200, 300, 60000, 65535], 300, 300 / TOP, False, 3),
        ("fda", [100, 200, 300, 58981, 65535], 58981, 58981 / TOP, False, 2),  # rank round(3.3) = 3
        ("fda", [100, 200, 300, 58982, 65535], 58982, 0.9, True, 2),
    ],
)
def test_thresholds_worked_by_hand(
    name: str, codes: list[int], quantile_code: int, value: float, bounded: bool, kept: int
) -> None:
    method = _quantile_method(name)
    (threshold,) = method.thresholds({method.measure.name: _counts(codes)[None]}, 1)
    assert threshold.pixels == len(codes)
    assert threshold.quantile_value == quantile_code / TOP
    assert threshold.value == value
    assert threshold.bounded is bounded
    assert threshold.kept == kept


@given(CODE_LISTS, QUANTILES, st.floats(0, 1), st.sampled_from(["low", "high"]))
def test_kept_equals_a_count_of_the_codes_one_by_one(
    codes: list[int], quantile: float, bound: float, sure: Sure
) -> None:
    threshold = class_threshold(_counts(codes), sure, quantile, bound)
    assert threshold.value is not None
    if sure == "low":
        assert threshold.kept == sum(code / TOP <= threshold.value for code in codes)
        assert threshold.value == max(threshold.quantile_value, bound)
    else:
        assert threshold.kept == sum(code / TOP >= threshold.value for code in codes)
        assert threshold.value == min(threshold.quantile_value, bound)
    assert threshold.bounded == (threshold.value != threshold.quantile_value)


@given(st.integers(0, TOP))
def test_a_threshold_keeps_the_very_code_that_it_came_from(code: int) -> None:
    assert limit_code(code / TOP, "low") == limit_code(code / TOP, "high") == code


@given(st.floats(0, 1))
def test_the_limit_is_the_last_code_on_the_kept_side_of_a_threshold(value: float) -> None:
    values = np.arange(CODES) / TOP
    assert limit_code(value, "low") == np.flatnonzero(values <= value)[-1]
    assert limit_code(value, "high") == np.flatnonzero(values >= value)[0]


# ----------------------------------------------------------------------------------------------------------- masks


def _masks_by_sorting(
    label: NDArray[np.uint8], value: NDArray[np.float64], method: QuantileMethod
) -> NDArray[np.uint8]:
    """The selection as the papers' code writes it: sort the values of each predicted class, cut, mask."""
    quantile, bound, low = method.settings.quantile, method.settings.bound, method.measure.sure == "low"
    kept = np.full_like(label, IGNORE)
    for class_ in np.unique(label):
        chosen = np.sort(value[label == class_])
        cut = chosen[min(round(len(chosen) * quantile), len(chosen) - 1)]
        cut = max(cut, bound) if low else min(cut, bound)
        kept[(label == class_) & (value <= cut if low else value >= cut)] = class_
    return kept


def _images(seed: int, sharpness: float, method: QuantileMethod) -> list[dict[str, NDArray[Any]]]:
    """Maps of three images at 23 x 31 from softmax of random logits (6, 8, 10)."""
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(3, 6, 8, 10, generator=generator)
    logits[:, 5] -= 1000  # a class that nobody predicts
    return [confidence_maps(image, (23, 31), [method.measure]) for image in logits.softmax(dim=1)]


def _select(method: QuantileMethod, images: list[dict[str, NDArray[Any]]]) -> tuple[list[Threshold], NDArray[np.uint8]]:
    """Thresholds and pseudo-labels as the stages make them."""
    histogram = np.zeros((6, CODES), dtype=np.int64)
    for maps in images:
        count_codes(histogram, maps["label"], maps[method.measure.name])
    thresholds = method.thresholds({method.measure.name: histogram}, 1)
    values = [threshold.value for threshold in thresholds]
    return thresholds, np.stack([method.label(maps, values) for maps in images])


@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 12.0])
@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_masks_equal_the_method_written_with_sorted_floats(name: str, sharpness: float) -> None:
    method = _quantile_method(name)
    images = _images(int(10 * sharpness), sharpness, method)
    thresholds, masks = _select(method, images)
    label = np.stack([maps["label"] for maps in images])
    codes = np.stack([maps[method.measure.name] for maps in images])
    expected = _masks_by_sorting(label, codes / TOP, method)
    assert np.array_equal(masks, expected)
    assert [threshold.kept for threshold in thresholds] == [(expected == class_).sum() for class_ in range(6)]
    assert masks.dtype == np.uint8 and 0 < (masks == IGNORE).mean() < 1


@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_against_unquantised_float64_thresholds_move_by_a_code_and_hardly_a_pixel_differs(name: str) -> None:
    generator = torch.Generator().manual_seed(3)
    coarse = torch.randn(4, 6, 6, 9, generator=generator)
    logits = 6 * torch.nn.functional.interpolate(coarse, size=(33, 65), mode="bicubic")
    probability = logits.softmax(dim=1)
    method = _quantile_method(name)
    maps = [confidence_maps(image, (257, 513), [method.measure]) for image in probability]
    thresholds, masks = _select(method, maps)
    weights = [
        np.maximum(0, 1 - np.abs(np.linspace(0, old - 1, new)[:, None] - np.arange(old)))
        for old, new in ((33, 257), (65, 513))
    ]
    full = np.einsum("Hh,Ww,nchw->ncHW", *weights, logits.double().softmax(dim=1).numpy(), optimize=True)
    label = full.argmax(axis=1).astype(np.uint8)
    value = -(full * np.log(full)).sum(axis=1) / np.log(6) if name == "esl" else full.max(axis=1)
    for class_, threshold in enumerate(thresholds):
        chosen = np.sort(value[label == class_])
        cut = chosen[min(round(len(chosen) * method.settings.quantile), len(chosen) - 1)]
        assert threshold.quantile_value == pytest.approx(cut, abs=1 / TOP)
    expected = _masks_by_sorting(label, value, method)
    assert np.mean(masks != expected) <= 1e-4
