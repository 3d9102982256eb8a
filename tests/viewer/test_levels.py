"""Positions of a slider: levels of codes, edges, and thresholds that make exactly the same cut."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esl.labels.fixed_point import CODES, TOP
from esl.labels.measures.build import measure_named
from esl.labels.methods.quantile import limit_code
from esl.viewer.levels import MOST_LEVELS, scale_of, shortest

MEASURES = pytest.mark.parametrize("measure", [measure_named(name) for name in ("entropy", "confidence")])


def _counts() -> np.ndarray:
    rng = np.random.default_rng(0)
    counts = np.zeros((3, CODES), dtype=np.int64)
    for class_, pixels in enumerate((100_000, 500, 0)):
        codes = (TOP * rng.random(pixels) ** (3 - 2 * class_)).astype(np.int64)
        counts[class_] = np.bincount(codes, minlength=CODES)
    return counts


@MEASURES
def test_a_code_is_kept_at_a_position_exactly_where_the_threshold_of_the_position_keeps_it(measure) -> None:
    scale = scale_of(measure, _counts(), [0.1, 0.9, None, 0.123456])
    codes = np.arange(CODES)
    for position, threshold in enumerate(scale.thresholds):
        limit = limit_code(threshold, measure.sure)
        kept = codes <= limit if measure.sure == "low" else codes >= limit
        assert np.array_equal(scale.level_of_code <= position, kept)
        assert scale.position(threshold) == position
    assert kept.all() and scale.position(None) == -1


@MEASURES
def test_thresholds_of_rounds_are_positions_even_if_they_are_many(measure) -> None:
    first = (np.arange(19) * 1001 + 7) / TOP
    scale = scale_of(measure, _counts(), [*first, *(np.arange(400) * 150 / TOP)])
    assert len(scale.edges) == MOST_LEVELS and scale.level_of_code.max() == MOST_LEVELS - 1
    assert None not in [scale.position(value) for value in first]


@MEASURES
def test_counts_by_level_are_sums_of_those_by_code(measure) -> None:
    counts = _counts()
    scale = scale_of(measure, counts, [0.3])
    expected = [np.bincount(scale.level_of_code, weights=row, minlength=len(scale.edges)) for row in counts]
    assert np.array_equal(scale.binned(counts), expected)


def test_positions_are_spread_over_the_pixels_and_a_rare_class_gets_its_share() -> None:
    counts = _counts()
    scale = scale_of(measure_named("entropy"), counts, [])
    shares = np.cumsum(scale.binned(counts), axis=1) / counts.sum(axis=1, keepdims=True).clip(1)
    assert np.diff(shares[0], prepend=0).max() < 0.05 and np.diff(shares[1], prepend=0).max() < 0.05


def test_maps_that_hold_no_pixel_have_one_position() -> None:
    assert scale_of(measure_named("entropy"), np.zeros((2, CODES), np.int64), []).edges.tolist() == [TOP]


@given(st.integers(0, TOP))
def test_a_threshold_has_at_most_five_digits_and_keeps_the_same_code(rank: int) -> None:
    for name, code in (("entropy", rank), ("confidence", TOP - rank)):
        value = shortest(rank, measure_named(name))
        assert limit_code(float(str(value)), measure_named(name).sure) == code
        assert (len(f"{value:.5f}".rstrip("0")) <= 7 and abs(value - code / TOP) < 1.6e-5) or value in (0, 1)
