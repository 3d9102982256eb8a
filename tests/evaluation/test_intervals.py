"""Intervals: against plain loops, hand-worked numbers, scipy, and a small simulation of their coverage."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from esl.data.class_sets import CLASS_SETS
from esl.evaluation.confusions import IouCounts
from esl.evaluation.contents import Intervals
from esl.evaluation.intervals import (
    Interval,
    comparisons,
    images_to_decide,
    interval,
    intervals_of,
    jackknife,
    t_quantile,
)
from esl.evaluation.metrics import intersection_over_union, mean_iou
from esl.evaluation.scores import scores
from tests.contents import confusions_of

CITYSCAPES, SYNTHIA = CLASS_SETS["cityscapes19"], CLASS_SETS["synthia16"]


def _matrices(seed: int, images: int = 12, rows: int = 19, columns: int = 19) -> NDArray[np.int64]:
    """Random matrices with every class in every image, and mostly right predictions."""
    rng = np.random.default_rng(seed)
    matrices = rng.integers(1, 100, (images, rows, columns))
    matrices[:, range(columns), range(columns)] += rng.integers(0, 2000, (images, columns))
    return matrices


def _by_hand(without: list[float], whole: float) -> float:
    """The jackknife's standard error."""
    return float(np.sqrt((len(without) - 1) / len(without) * sum((value - whole) ** 2 for value in without)))


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 19, 99, 1000, 10_000])
def test_the_quantile_is_students(degrees: int) -> None:
    assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.975, degrees), rel=1e-4)


def test_the_standard_error_is_that_of_leaving_out_one_image_after_the_other() -> None:
    matrices = _matrices(0)
    found = interval(jackknife(confusions_of(matrices).iou_counts()), np.ones(19, bool))
    whole = mean_iou(intersection_over_union(matrices.sum(axis=0)))
    assert whole is not None
    left_out = [mean_iou(intersection_over_union(np.delete(matrices, image, axis=0).sum(0))) for image in range(12)]
    assert found.value == pytest.approx(whole)
    assert found.error == pytest.approx(_by_hand([own for own in left_out if own is not None], whole))
    assert (found.low + found.high) / 2 == pytest.approx(whole)


def test_equal_changes_have_the_degrees_of_freedom_of_all_images_and_a_single_large_one_has_few() -> None:
    counts = IouCounts(np.array([[40], [60]] * 10), np.full((20, 1), 100))
    even = interval(jackknife(counts), np.ones(1, bool))
    assert even.high - even.value == pytest.approx(stats.t.ppf(0.975, 19) * even.error)
    hits = np.full((20, 1), 50)
    hits[0] = 100
    uneven = interval(jackknife(IouCounts(hits, counts.unions)), np.ones(1, bool))
    assert uneven.high - uneven.value == pytest.approx(stats.t.ppf(0.975, 3) * uneven.error)


def test_a_difference_over_the_same_images_has_a_shorter_interval_than_its_models() -> None:
    matrices = _matrices(0)
    better = matrices.copy()
    better[:, range(19), range(19)] += 300
    first, second = (jackknife(confusions_of(own).iou_counts()) for own in (better, matrices))
    every = np.ones(19, bool)
    found = interval(first.minus(second), every)
    assert found.value == pytest.approx(interval(first, every).value - interval(second, every).value)
    assert 0 < found.error < min(interval(own, every).error for own in (first, second))


def test_without_its_only_image_a_class_leaves_the_mean() -> None:
    counts = IouCounts(np.array([[1, 3], [0, 3]]), np.array([[4, 4], [0, 4]]))
    found = interval(jackknife(counts), np.ones(2, bool))
    assert found.value == 0.5 and found.error == pytest.approx(_by_hand([0.75, 0.5], 0.5))
    alone = interval(jackknife(IouCounts(*(own[:, :1] for own in counts))), np.ones(1, bool))
    assert (alone.value, alone.error) == (0.25, 0)


@pytest.mark.parametrize("images", [5, 20])
def test_the_interval_holds_the_truth_in_95_of_100_cases(images: int) -> None:
    """A class in every image, and three that only four of ten have: 2,000 samples at once."""
    rng = np.random.default_rng(0)
    size = (2000, images)
    rare = rng.integers(10, 200, (*size, 3)) * (rng.random((*size, 3)) < 0.4)
    unions = np.concatenate([rng.integers(50, 150, (*size, 1)), rare], axis=-1)
    share = rng.beta([6, 2, 2, 2], [2, 3, 3, 3], (*size, 4))
    counts = IouCounts(np.rint(unions * share).astype(np.int64), unions)
    classes = unions.any(axis=1)
    found = interval(jackknife(counts), classes)
    truth = (classes * [0.75, 0.4, 0.4, 0.4]).sum(axis=1) / classes.sum(axis=1)
    assert 0.92 <= ((found.low <= truth) & (truth <= found.high)).mean() <= 0.98


def _of(value: float, half: float) -> Interval:
    return Interval(*(np.array(number) for number in (value, value - half, value + half, half / 2.0)))


def test_the_images_that_would_decide_grow_with_the_square_of_the_interval_over_the_difference() -> None:
    assert images_to_decide(_of(0.05, 0.02), 20, 20) is None  # decided
    assert images_to_decide(_of(0.0, 0.02), 20, 20) is None  # no difference to decide
    assert images_to_decide(_of(0.00001, 0.02), 20, 20) is None
    assert images_to_decide(_of(0.01, 0.02), 20, 20) == 79  # (1.96 * 0.01 / 0.01) ** 2 * 20 + 2 = 78.8
    assert images_to_decide(_of(0.001, 0.02), 20, 20) == 7700
    assert images_to_decide(_of(-0.01, 0.02), 100, 10) == 410  # the same, and 2 units of 10 images
    assert images_to_decide(_of(0.0199, 0.02), 20, 20) == 22


def test_models_are_compared_with_the_control_of_their_round_and_with_the_source() -> None:
    names = ["source", "adapted", "control-round1", "esl-round1", "esl-round2", "oracle"]
    controls = {"esl-round1": "control-round1", "esl-round2": "control-round1"}
    assert [*comparisons(names, controls)] == [
        ("adapted", "source"),
        ("control-round1", "source"),
        ("esl-round1", "control-round1"),
        ("esl-round1", "source"),
        ("esl-round2", "control-round1"),
        ("esl-round2", "source"),
        ("oracle", "source"),
    ]
    assert [*comparisons(["esl-round1"], {})] == []


def _intervals(**models: NDArray[np.int64]) -> Intervals | None:
    return intervals_of({name: confusions_of(own) for name, own in models.items()}, {})


def test_every_mean_of_miou_json_has_an_interval_around_it() -> None:
    rows = len(SYNTHIA) + len(SYNTHIA.foreign)
    matrices = [_matrices(seed, rows=rows, columns=16) for seed in range(2)]
    models = {name: confusions_of(own, SYNTHIA) for name, own in zip(("source", "a-round1"), matrices, strict=True)}
    found = intervals_of(models, {})
    assert found is not None and found.over == "12 images"
    for (name, ends), own in zip(found.miou.items(), matrices, strict=True):
        miou = scores(own.sum(axis=0), SYNTHIA).miou
        assert name in models and [*ends] == [*miou]
        for set_, value in miou.items():
            low, high = ends[set_] or (1, 0)
            assert value is not None and 0 <= low < value < high <= 1
    values = [scores(own.sum(axis=0), SYNTHIA).miou for own in matrices]
    for difference in found.differences:
        first, second = (own[difference.set] for own in values)
        assert (difference.model, difference.against) == ("a-round1", "source") and first is not None
        assert second is not None and difference.value == pytest.approx(second - first)


def test_a_class_that_is_predicted_but_in_no_label_is_in_the_mean_of_a_model_and_in_no_difference() -> None:
    matrices = np.zeros((4, 19, 19), dtype=np.int64)
    matrices[:, 0, 0] = 100, 90, 80, 70
    missed = matrices.copy()
    missed[0, 0, 5] = 1
    found = _intervals(source=matrices, a=missed)
    assert found is not None
    low, high = found.miou["a"]["cityscapes19"] or (1, 0)
    assert low < scores(missed.sum(axis=0), CITYSCAPES).iou["road"] / 2 < high  # type: ignore[operator]
    assert found.differences[0].value == pytest.approx(340 / 341 - 1)


def test_equal_models_differ_by_nothing_and_nothing_would_decide() -> None:
    found = _intervals(source=_matrices(0), a=_matrices(0))
    assert found is not None
    (difference,) = found.differences
    assert (difference.value, difference.low, difference.high) == (0, 0, 0)
    assert not difference.is_decided and difference.images_to_decide is None


@pytest.mark.parametrize("images", [0, 1])
def test_fewer_than_two_images_have_no_interval(images: int) -> None:
    assert _intervals(source=_matrices(0, images)) is None


def test_frames_of_one_drive_have_wider_intervals_than_images_drawn_at_random() -> None:
    """Each scene is seen in six frames after one another."""
    matrices = np.repeat(_matrices(0, 12), 6, axis=0)
    ids = [f"drive_{number}" for number in range(72)]
    ends = []
    for drawn_at_random in (True, False):
        found = intervals_of({"source": confusions_of(matrices, ids=ids, drawn_at_random=drawn_at_random)}, {})
        assert found is not None
        ends.append(found.miou["source"]["cityscapes19"] or [0, 0])
    (short, long) = (high - low for low, high in ends)
    assert long > 2 * short


def test_more_images_make_shorter_intervals() -> None:
    halves = []
    for images in (8, 40, 200):
        found = _intervals(source=_matrices(1, images))
        assert found is not None
        low, high = found.miou["source"]["cityscapes19"] or (0, 0)
        halves.append(high - low)
    assert all(longer > 1.5 * shorter for longer, shorter in pairwise(halves))
