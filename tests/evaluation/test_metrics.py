"""Confusion and IoU against hand-worked values, scikit-learn, and the official Cityscapes evaluation."""

import math
from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling import (
    CArgs,
    evaluatePair,
    generateMatrix,
    getIouScoreForLabel,
    getScoreAverage,
)
from cityscapesscripts.helpers.labels import id2label, trainId2label
from numpy.typing import NDArray
from PIL import Image
from sklearn import metrics

from esl.classes import IGNORE, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.evaluation.metrics import confusion_matrix, intersection_over_union, mean_iou, pixel_accuracy

HAND = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]], dtype=np.int64)


def _random_maps(seed: int, num_classes: int, used: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Truth and prediction that agree half of the time; a fifth of the truth is ignored."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, used, (40, 60)).astype(np.uint8)
    prediction = np.where(rng.random(truth.shape) < 0.5, truth, rng.integers(0, used, truth.shape)).astype(np.uint8)
    truth[rng.random(truth.shape) < 0.2] = IGNORE
    return truth, prediction


def test_a_confusion_matrix_worked_by_hand() -> None:
    truth = np.array([[0, 0, 0, 0, 1, 1, 1], [1, 1, 1, 255, 255, 255, 255]], dtype=np.uint8)
    prediction = np.array([[0, 0, 0, 1, 0, 0, 1], [1, 1, 1, 0, 1, 2, 2]], dtype=np.uint8)
    confusion = confusion_matrix(truth, prediction, 3)
    assert confusion.tolist() == HAND.tolist()
    assert confusion.dtype == np.int64


def test_scores_worked_by_hand() -> None:
    assert intersection_over_union(HAND) == [3 / 6, 4 / 7, None]
    assert mean_iou([3 / 6, 4 / 7, None]) == pytest.approx((1 / 2 + 4 / 7) / 2)
    assert pixel_accuracy(HAND) == 7 / 10


def test_a_class_absent_from_both_has_no_iou_but_one_only_predicted_has_zero() -> None:
    confusion = np.array([[5, 0, 1], [0, 0, 0], [0, 0, 0]], dtype=np.int64)
    iou = intersection_over_union(confusion)
    assert iou == [5 / 6, None, 0.0]
    assert mean_iou(iou) == 5 / 12


def test_nothing_labelled_gives_no_score_at_all() -> None:
    truth = np.full((4, 4), IGNORE, dtype=np.uint8)
    confusion = confusion_matrix(truth, np.zeros_like(truth), 2)
    assert not confusion.any()
    assert intersection_over_union(confusion) == [None, None]
    assert mean_iou([None, None]) is None
    assert pixel_accuracy(confusion) is None


def test_maps_of_different_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        confusion_matrix(np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), 2)


def test_matrices_of_parts_add_up_to_the_matrix_of_the_whole() -> None:
    truth, prediction = _random_maps(0, 19, 19)
    parts = confusion_matrix(truth[:13], prediction[:13], 19) + confusion_matrix(truth[13:], prediction[13:], 19)
    assert np.array_equal(parts, confusion_matrix(truth, prediction, 19))


@pytest.mark.parametrize(("seed", "num_classes"), [(1, 2), (2, 7), (3, 19)])
def test_the_matrix_equals_that_of_scikit_learn(seed: int, num_classes: int) -> None:
    truth, prediction = _random_maps(seed, num_classes, num_classes)
    labelled, classes = truth != IGNORE, range(num_classes)
    expected = metrics.confusion_matrix(truth[labelled], prediction[labelled], labels=classes)
    assert np.array_equal(confusion_matrix(truth, prediction, num_classes), expected)
    iou = metrics.jaccard_score(truth[labelled], prediction[labelled], labels=classes, average=None)
    assert intersection_over_union(expected) == pytest.approx(iou, abs=1e-12)


@pytest.mark.parametrize("used", [19, 12])
def test_iou_equals_the_official_cityscapes_evaluation(tmp_path: Path, used: int) -> None:
    """``used`` < 19: classes from there on are absent, which the official script leaves out of its mean as well."""
    rng = np.random.default_rng(4)
    _, prediction = _random_maps(4, 19, used)
    to_id = np.array([trainId2label[train_id].id for train_id in range(19)], dtype=np.uint8)
    ids = np.where(rng.random(prediction.shape) < 0.7, to_id[prediction], to_id[(prediction + 1) % used])
    ids = np.where(rng.random(ids.shape) < 0.3, rng.choice([0, 1, 4, 9, 18, 29, 30], ids.shape), ids).astype(np.uint8)
    Image.fromarray(ids).save(tmp_path / "truth.png")
    Image.fromarray(to_id[prediction]).save(tmp_path / "prediction.png")
    args = CArgs()
    args.evalInstLevelScore = args.evalPixelAccuracy = False
    matrix = generateMatrix(args)
    evaluatePair(str(tmp_path / "prediction.png"), str(tmp_path / "truth.png"), matrix, {}, {}, args)
    expected = {id2label[id_].name: getIouScoreForLabel(id_, matrix, args) for id_ in to_id}

    classes = CLASS_SETS["cityscapes19"]
    truth = id_table(CITYSCAPES_LABELS, classes).train_ids[ids]
    iou = intersection_over_union(confusion_matrix(truth, prediction, 19))
    ours = dict(zip(classes.classes, iou, strict=True))
    assert {name: None if math.isnan(value) else value for name, value in expected.items()} == ours
    assert mean_iou(iou) == pytest.approx(getScoreAverage(expected, args), abs=1e-12)
    assert iou.count(None) == 19 - used
