"""Scores of confusion matrices worked by hand."""

import json
from dataclasses import replace

import numpy as np
import pytest

from esl.classes import IGNORE, Label, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.mapillary import aliases
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.evaluation.metrics import confusion_matrix
from esl.evaluation.scores import scores

CLASSES = CLASS_SETS["cityscapes19"].classes


def test_scores_worked_by_hand_are_keyed_by_class() -> None:
    confusion = np.zeros((19, 19), dtype=np.int64)
    confusion[0, 0], confusion[0, 1], confusion[1, 0], confusion[1, 1], confusion[10, 13] = 6, 2, 1, 3, 4
    result = scores(confusion, CLASS_SETS["cityscapes19"]).to_json()
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
    result = scores(confusion_matrix(truth, prediction, 7), CLASS_SETS["vistas7"]).to_json()
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
    result = scores(np.vstack([confusion, np.zeros((3, 16), dtype=np.int64)]), CLASS_SETS["synthia16"]).to_json()
    # the class before wall is never predicted as wall, and the class after it never gets pixels of wall
    assert result["iou"] == dict.fromkeys(names, 3 / 9) | {"wall": None, "building": 3 / 6, "fence": 3 / 6}
    assert result["miou"] == {
        "synthia16": pytest.approx((13 * 3 / 9 + 2 * 3 / 6) / 15),
        "synthia13": pytest.approx((12 * 3 / 9 + 3 / 6) / 13),
        "synthia16+foreign": pytest.approx((13 * 3 / 9 + 2 * 3 / 6) / 15),  # no foreign pixel is there
        "synthia13+foreign": pytest.approx((12 * 3 / 9 + 3 / 6) / 13),
    }
    assert scores(np.eye(19, dtype=np.int64), CLASS_SETS["cityscapes19"]).miou == {"cityscapes19": 1.0}


def test_labels_that_call_themselves_otherwise_are_foreign_by_any_of_their_names() -> None:
    names = ("object--vehicle--truck", "nature--terrain", "object--vehicle--car", "void--static")
    labels = [Label(id_, name, also=aliases(name)) for id_, name in enumerate(names)]
    train_ids = id_table(labels, CLASS_SETS["synthia16"], foreign=True).train_ids
    classes = CLASS_SETS["synthia16"].classes
    assert train_ids[:4].tolist() == [16 + 1, 16, classes.index("car"), IGNORE]


def test_foreign_truth_is_an_error_where_the_literature_scores_19_classes_and_averages_16() -> None:
    """As BDL does: a confusion matrix over the 19 classes of Cityscapes, whose rows of 16 give the mean."""
    rng = np.random.default_rng(5)
    names19, names16 = CLASS_SETS["cityscapes19"].classes, CLASS_SETS["synthia16"].classes
    truth = rng.integers(0, 19, 5000).astype(np.uint8)  # trainIds of Cityscapes
    guess = rng.integers(0, 16, 5000)
    in19 = np.array([names19.index(name) for name in names16])[guess]
    right = rng.random(5000) < 0.7
    predicted = np.where(right & np.isin(truth, [names19.index(name) for name in names16]), truth, in19)
    whole = np.array([[np.sum((truth == row) & (predicted == column)) for column in range(19)] for row in range(19)])
    theirs = [whole[c, c] / (whole[c].sum() + whole[:, c].sum() - whole[c, c]) for c in map(names19.index, names16)]

    ids = {label.name: label.id for label in CITYSCAPES_LABELS}
    scored = id_table(CITYSCAPES_LABELS, CLASS_SETS["synthia16"], foreign=True).train_ids
    plain = id_table(CITYSCAPES_LABELS, CLASS_SETS["synthia16"]).train_ids
    own = np.array([ids[name] for name in names19])
    prediction = plain[own[predicted]]
    result = scores(confusion_matrix(scored[own[truth]], prediction, 16, 3), CLASS_SETS["synthia16"]).to_json()
    left_out = scores(
        confusion_matrix(plain[own[truth]], prediction, 16), replace(CLASS_SETS["synthia16"], foreign=())
    ).to_json()
    assert result["miou"]["synthia16+foreign"] == pytest.approx(np.mean(theirs))
    assert {name: result[name] for name in ("iou", "pixel_accuracy", "confusion")} == {
        name: left_out[name] for name in ("iou", "pixel_accuracy", "confusion")
    }
    assert result["miou"]["synthia16"] == left_out["miou"]["synthia16"] > result["miou"]["synthia16+foreign"]
    with pytest.raises(ValueError, match="Expected truth below 16, or 255"):
        confusion_matrix(scored[own[truth]], prediction, 16)
