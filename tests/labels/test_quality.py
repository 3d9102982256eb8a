"""The diagnosis of pseudo-labels against target labels, worked by hand."""

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.classes import ClassSet
from esl.labels.measures.base import Sure
from esl.labels.measures.registry import measure_named
from esl.labels.quality import Quality, accuracy_at

ENDS: tuple[Sure, ...] = ("low", "high")


def test_accuracy_and_coverage_worked_by_hand() -> None:
    """Classes 0, 1 and 2; class 2 is neither true nor predicted."""
    quality = Quality(3, [measure_named("entropy"), measure_named("confidence")])
    quality.add(
        truth=np.array([[0, 0, 0, 1], [1, 1, 255, 255]], dtype=np.uint8),
        label=np.array([[0, 0, 255, 0], [1, 255, 1, 255]], dtype=np.uint8),
        maps={
            "label": np.array([[0, 0, 1, 0], [1, 1, 1, 0]], dtype=np.uint8),
            "entropy": np.zeros((2, 4), dtype=np.uint16),
            "confidence": np.zeros((2, 4), dtype=np.uint16),
        },
    )
    quality.add(  # an image without one labelled pixel
        truth=np.full((1, 2), 255, dtype=np.uint8),
        label=np.zeros((1, 2), dtype=np.uint8),
        maps={name: np.zeros((1, 2), dtype=np.uint8) for name in ("label", "entropy", "confidence")},
    )
    summary = quality.summary(ClassSet("three", ("a", "b", "c"), ((0, 0, 0),) * 3, (("a",), ("b",), ("c",))))
    assert summary["labelled_images"] == 2
    assert summary["accuracy"] == 3 / 4  # of (0,0) (0,1) (0,3) (1,0) all but (0,3) are correct
    assert summary["coverage"] == 4 / 6
    assert summary["classes"] == {
        "a": {"accuracy": 2 / 3, "coverage": 2 / 3},
        "b": {"accuracy": 1.0, "coverage": 2 / 3},
        "c": {"accuracy": None, "coverage": None},
    }
    for measure in ("entropy", "confidence"):  # prediction against truth, kept or not
        assert summary["accuracy_at_coverage"][measure]["1.0"] == 4 / 6


def _histograms(*classes: list[tuple[int, int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per class (code, pixels, correctly predicted pixels)."""
    total, correct = np.zeros((2, len(classes), 8), dtype=np.int64)
    for class_, cells in enumerate(classes):
        for code, pixels, right in cells:
            total[class_, code], correct[class_, code] = pixels, right
    return total, correct


def test_accuracy_at_a_coverage_worked_by_hand() -> None:
    counts = _histograms([(0, 4, 4), (3, 4, 2), (7, 2, 0)], [(5, 10, 5)])
    # half of class 0: code 0 whole (4 of 4), a quarter of code 3 (0.5 of 1); half of class 1: 2.5 of 5
    assert accuracy_at(0.5, *counts, sure="low") == pytest.approx((4 + 0.5 + 2.5) / 10)
    # the same from the top: code 7 whole (0 of 2), three quarters of code 3 (1.5 of 3); and 2.5 of 5
    assert accuracy_at(0.5, *counts, sure="high") == pytest.approx((0 + 1.5 + 2.5) / 10)
    assert accuracy_at(0.2, *counts, sure="low") == pytest.approx((2 + 1) / 4)
    for sure in ENDS:
        assert accuracy_at(1.0, *counts, sure=sure) == pytest.approx(11 / 20)


def test_the_direction_of_a_measure_decides_which_pixels_are_the_surest() -> None:
    """One class of four pixels; the measure is 0, 1, 2, 3 and only the first is correct."""
    codes = np.arange(4, dtype=np.uint16)[None]
    truth = np.array([[0, 1, 1, 1]], dtype=np.uint8)
    maps = {"label": np.zeros((1, 4), np.uint8), "entropy": codes, "confidence": codes}
    quality = Quality(2, [measure_named("entropy"), measure_named("confidence")])
    quality.add(truth, maps["label"], maps)
    summary = quality.summary(ClassSet("two", ("a", "b"), ((0, 0, 0),) * 2, (("a",), ("b",))))
    surest = {name: shares["0.5"] for name, shares in summary["accuracy_at_coverage"].items()}
    assert surest == {"entropy": 1 / 2, "confidence": 0}


def test_accuracy_of_nothing_is_undefined() -> None:
    assert accuracy_at(0.5, *_histograms([]), sure="low") is None
