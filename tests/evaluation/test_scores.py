"""Scores of confusion matrices worked by hand."""

import json

import numpy as np
import pytest

from esl.classes import id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.evaluation.metrics import confusion_matrix
from esl.evaluation.scores import scores

CLASSES = CLASS_SETS["cityscapes19"].classes


def test_scores_worked_by_hand_are_keyed_by_class() -> None:
    confusion = np.zeros((19, 19), dtype=np.int64)
    confusion[0, 0], confusion[0, 1], confusion[1, 0], confusion[1, 1], confusion[10, 13] = 6, 2, 1, 3, 4
    result = scores(confusion, CLASS_SETS["cityscapes19"])
    present = {name: value for name, value in result["iou"].items() if value is not None}
    assert [*result["iou"]] == [*CLASSES]
    assert present == {"road": 6 / 9, "sidewalk": 3 / 6, "sky": 0.0, "car": 0.0}
    assert result["miou"] == {"cityscapes19": pytest.approx((6 / 9 + 3 / 6) / 4)}
    assert result["pixel_accuracy"] == 9 / 16
    assert result["confusion"] == confusion.tolist()
    assert json.loads(json.dumps(result, allow_nan=False)) == json.loads(json.dumps(result))


def test_seven_classes_worked_by_hand() -> None:
    """Labels of one category are one class: confusing them is not an error."""
    names = CLASS_SETS["vistas7"].classes
    table = id_table(CITYSCAPES_LABELS, CLASS_SETS["vistas7"])
    ids = {label.name: label.id for label in CITYSCAPES_LABELS}
    truth = table.train_ids[[ids[n] for n in ("road", "sidewalk", "car", "bus", "person", "sky", "static")]]
    prediction = table.train_ids[[ids[n] for n in ("sidewalk", "road", "truck", "pole", "rider", "building", "sky")]]
    result = scores(confusion_matrix(truth, prediction, 7), CLASS_SETS["vistas7"])
    expected = {"flat": 1.0, "construction": 0.0, "object": 0.0, "sky": 0.0, "human": 1.0, "vehicle": 1 / 2}
    assert result["iou"] == dict.fromkeys(names) | expected
    assert result["miou"] == {"vistas7": pytest.approx(2.5 / 6)}
    assert result["pixel_accuracy"] == 4 / 6


def test_synthias_model_is_scored_over_13_classes_and_its_16() -> None:
    """Every class is right in half of its pixels, and otherwise predicted as the next; "wall" occurs nowhere."""
    names = CLASS_SETS["synthia16"].classes
    confusion = np.zeros((16, 16), dtype=np.int64)
    for row in range(16):
        confusion[row, row], confusion[row, (row + 1) % 16] = 3, 3
    wall = names.index("wall")
    confusion[wall], confusion[:, wall] = 0, 0
    result = scores(confusion, CLASS_SETS["synthia16"])
    # the class before wall is never predicted as wall, and the class after it never gets pixels of wall
    assert result["iou"] == dict.fromkeys(names, 3 / 9) | {"wall": None, "building": 3 / 6, "fence": 3 / 6}
    assert result["miou"] == {
        "synthia16": pytest.approx((13 * 3 / 9 + 2 * 3 / 6) / 15),
        "synthia13": pytest.approx((12 * 3 / 9 + 3 / 6) / 13),
    }
    assert scores(np.eye(19, dtype=np.int64), CLASS_SETS["cityscapes19"])["miou"] == {"cityscapes19": 1.0}
