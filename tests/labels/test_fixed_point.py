"""Histograms of codes against a count pixel by pixel."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from esl.labels.fixed_point import CODES, TOP, count_codes, nearest_codes


def test_the_codes_are_all_of_uint16() -> None:
    assert np.iinfo(np.uint16).max == TOP
    assert CODES == TOP + 1


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([0, 1, 6554, TOP - 1, TOP])), min_size=1, max_size=40))
def test_the_histogram_counts_each_pixel_once_in_its_class_and_code(pixels: list[tuple[int, int]]) -> None:
    label = np.array([[label for label, _ in pixels]], dtype=np.uint8)
    codes = np.array([[code for _, code in pixels]], dtype=np.uint16)
    histogram = np.zeros((3, CODES), dtype=np.int64)
    count_codes(histogram, label, codes)
    assert histogram.sum() == len(pixels)
    for cell in set(pixels):
        assert histogram[cell] == pixels.count(cell)


def test_the_highest_class_and_code_do_not_spill_into_another_cell() -> None:
    label, codes = np.full((2, 2), 18, dtype=np.uint8), np.full((2, 2), TOP, dtype=np.uint16)
    histogram = np.zeros((19, CODES), dtype=np.int64)
    count_codes(histogram, label, codes)
    count_codes(histogram, label, codes)  # counts are added
    assert histogram[18, TOP] == 8 == histogram.sum()


def test_rounding_errors_outside_of_the_codes_are_clipped() -> None:
    scaled = np.array([-0.4, -0.0, 0.4, 0.6, TOP - 0.6, TOP + 0.7], dtype=np.float32)
    assert nearest_codes(scaled).tolist() == [0, 0, 0, 1, TOP - 1, TOP]
