"""Risk-coverage figures from histograms against sorted pixels, another library, and published formulas."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from esl.labels.measures.base import Sure
from esl.labels.risk import accuracy_at, augrc, aurc, harmonic, risk_coverage

ENDS: tuple[Sure, ...] = ("low", "high")


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


def test_accuracy_of_nothing_is_undefined() -> None:
    assert accuracy_at(0.5, *_histograms([]), sure="low") is None


def _pixels(seed: int, codes: int) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Codes of 300 pixels, low where the network is sure, and whether they are wrong: more often where it is not."""
    rng = np.random.default_rng(seed)
    code = rng.integers(0, codes, 300) if codes < 1000 else rng.permutation(codes)[:300]
    return code, rng.random(300) < 0.6 * code / codes


def _counted(code: NDArray[np.int64], wrong: NDArray[np.bool_], codes: int) -> Any:
    """Histograms of all pixels and of the correct ones."""
    return np.bincount(code, minlength=codes), np.bincount(code[~wrong], minlength=codes)


def _expected_errors(code: NDArray[np.int64], wrong: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Errors among the surest k = 1 ... n pixels; within a code, each pixel is its mean error."""
    mean = np.array([wrong[code == own].mean() for own in code])
    return np.cumsum(mean[np.argsort(code, kind="stable")])


@pytest.mark.parametrize("codes", [7, 60, 4096])
@pytest.mark.parametrize("sure", ENDS)
def test_areas_are_those_of_the_sorted_pixels(codes: int, sure: Sure) -> None:
    code, wrong = _pixels(codes, codes)
    histograms = _counted(code if sure == "low" else codes - 1 - code, wrong, codes)
    errors, ranks = _expected_errors(code, wrong), np.arange(1, 301)
    assert aurc(*histograms, sure=sure) == pytest.approx(np.mean(errors / ranks), rel=1e-12)
    curve = np.concatenate([[0], errors]) / 300
    area = np.trapezoid(curve, np.arange(301) / 300)
    assert augrc(*histograms, sure=sure) == pytest.approx(area, rel=1e-12)
    for coverage, accuracy in risk_coverage(*histograms, sure=sure).accuracy.items():
        kept = round(float(coverage) * 300)
        assert accuracy == pytest.approx(1 - errors[kept - 1] / kept, rel=1e-9)


def test_a_tie_counts_as_the_mean_over_its_orders() -> None:
    code, wrong = _pixels(3, 7)
    rng, areas = np.random.default_rng(0), []
    for _ in range(400):
        order = np.lexsort((rng.random(300), code))
        areas.append(np.mean(np.cumsum(wrong[order]) / np.arange(1, 301)))
    error = np.std(areas) / math.sqrt(len(areas))
    assert abs(np.mean(areas) - aurc(*_counted(code, wrong, 7), sure="low")) < 4 * error


@pytest.mark.parametrize("codes", [7, 4096])
def test_the_generalised_area_follows_from_accuracy_and_auroc_as_published(codes: int) -> None:
    """Traub et al. 2024, with the AUROC of scikit-learn, which counts a tie as a half."""
    code, wrong = _pixels(1, codes)
    accuracy = 1 - wrong.mean()
    auroc = roc_auc_score(~wrong, codes - code)
    expected = (1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert augrc(*_counted(code, wrong, codes), sure="low") == pytest.approx(expected, rel=1e-12)


def test_the_area_is_the_published_sum_of_harmonic_weights() -> None:
    """Zhou et al. 2024: an error at rank k weighs (H(n) - H(k - 1)) / n."""
    code, wrong = _pixels(2, 4096)
    ranks = np.flatnonzero(wrong[np.argsort(code)]) + 1
    weights = [sum(1 / j for j in range(rank, 301)) for rank in ranks]
    assert aurc(*_counted(code, wrong, 4096), sure="low") == pytest.approx(sum(weights) / 300, rel=1e-12)


def test_billions_of_pixels_are_exact() -> None:
    """Errors spread evenly: the risk is one half at every coverage, whatever the codes."""
    rng = np.random.default_rng(0)
    correct = rng.integers(0, 200_000, 65536)
    figures = risk_coverage(2 * correct, correct, sure="high")
    assert figures.aurc == pytest.approx(0.5, rel=1e-12)
    assert figures.augrc == pytest.approx(0.25, rel=1e-12)


def test_harmonic_numbers() -> None:
    numbers = np.array([0, 1, 2, 63, 64, 65, 1000])
    exact = [math.fsum(1 / k for k in range(1, number + 1)) for number in numbers]
    np.testing.assert_allclose(harmonic(numbers), exact, rtol=1e-15, atol=0)


def test_no_pixels_have_no_figures() -> None:
    nothing = np.zeros(8, dtype=np.int64)
    figures = risk_coverage(nothing, nothing, sure="low")
    assert figures.augrc is None and figures.aurc is None and {*figures.accuracy.values()} == {None}
