"""The diagnosis of pseudo-labels against target labels, worked by hand."""

import numpy as np
import pytest

from esl.classes import ClassSet
from esl.labels.measures.build import measure_named
from esl.labels.quality import Quality


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
    summary = quality.summary(ClassSet("three", ("a", "b", "c"), ((0, 0, 0),) * 3, (("a",), ("b",), ("c",)))).to_json()
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
        ranked = summary["risk_coverage"][measure]
        assert ranked["accuracy"] == {coverage: pytest.approx(4 / 6) for coverage in ("0.3", "0.5", "0.7", "0.9")}
        assert ranked["augrc"] == pytest.approx(1 / 6)  # all pixels are equally sure: risk times coverage
        assert ranked["classes"]["b"]["aurc"] == pytest.approx(1 / 3)  # 3 pixels predicted as b, one of them wrong
        assert ranked["classes"]["c"] == {"augrc": None, "aurc": None, "accuracy": dict.fromkeys(ranked["accuracy"])}


def test_the_direction_of_a_measure_decides_which_pixels_are_the_surest() -> None:
    """One class of four pixels; the measure is 0, 1, 2, 3 and only the first is correct."""
    codes = np.arange(4, dtype=np.uint16)[None]
    truth = np.array([[0, 1, 1, 1]], dtype=np.uint8)
    maps = {"label": np.zeros((1, 4), np.uint8), "entropy": codes, "confidence": codes}
    quality = Quality(2, [measure_named("entropy"), measure_named("confidence")])
    quality.add(truth, maps["label"], maps)
    summary = quality.summary(ClassSet("two", ("a", "b"), ((0, 0, 0),) * 2, (("a",), ("b",)))).to_json()
    surest = {name: shares["0.5"] for name, shares in summary["accuracy_at_coverage"].items()}
    assert surest == {"entropy": 1 / 2, "confidence": 0}
