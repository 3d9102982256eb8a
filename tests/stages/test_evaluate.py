"""miou.json: hand-worked scores, every promised key, and nothing that changes from run to run."""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling import (
    CArgs,
    evaluatePair,
    generateMatrix,
    getIouScoreForLabel,
    getScoreAverage,
)
from cityscapesscripts.helpers.labels import id2label, trainId2label
from PIL import Image
from torchmetrics.classification import MulticlassConfusionMatrix

from esl.classes import id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.registry import FORMATS
from esl.data.index import Index
from esl.data.inspection import Checks, inspect
from esl.data.label_tables import CITYSCAPES_LABELS
from esl.evaluation.metrics import confusion_matrix
from esl.files import sha256_of_file, write_json
from esl.models.checkpoint import Description, save_checkpoint
from esl.models.registry import build_network
from esl.stages.evaluate import main as evaluate
from esl.stages.evaluate import scores
from esl.stages.predict import main as predict
from esl.stages.summarize import table

Main = Callable[[], None]

CLASSES = CLASS_SETS["cityscapes19"].classes


def test_scores_worked_by_hand_are_keyed_by_class() -> None:
    confusion = np.zeros((19, 19), dtype=np.int64)
    confusion[0, 0], confusion[0, 1], confusion[1, 0], confusion[1, 1], confusion[10, 13] = 6, 2, 1, 3, 4
    found = scores(confusion, CLASS_SETS["cityscapes19"])
    present = {name: value for name, value in found["iou"].items() if value is not None}
    assert [*found["iou"]] == [*CLASSES]
    assert present == {"road": 6 / 9, "sidewalk": 3 / 6, "sky": 0.0, "car": 0.0}
    assert found["miou"] == {"cityscapes19": pytest.approx((6 / 9 + 3 / 6) / 4)}
    assert found["pixel_accuracy"] == 9 / 16
    assert found["confusion"] == confusion.tolist()
    assert json.loads(json.dumps(found, allow_nan=False)) == json.loads(json.dumps(found))


def test_the_file_is_complete_consistent_and_the_same_at_every_run(
    tmp_path: Path, small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    checkpoint = tmp_path / "checkpoint.pt"
    save_checkpoint(
        checkpoint,
        build_network("small", 19),
        Description.of("small", CLASS_SETS["cityscapes19"], {"seed": 0}, {}),
    )
    write_json(tmp_path / "index.json", small_index.to_json())
    for name in ("a", "b"):
        flags = f"--checkpoint {checkpoint} --index {tmp_path / 'index.json'} --output {tmp_path / name}/miou.json"
        flags += " --size own --batch-size 2 --accelerator cpu --precision 32-true --threads 1"
        monkeypatch.setattr(sys, "argv", ["evaluate", *flags.split()])
        evaluate()
    assert (tmp_path / "a" / "miou.json").read_bytes() == (tmp_path / "b" / "miou.json").read_bytes()
    content = json.loads((tmp_path / "a" / "miou.json").read_text())
    assert content.keys() >= {"miou", "iou", "pixel_accuracy", "confusion", "settings", "versions"}
    confusion = np.array(content["confusion"])
    assert content["images"] == 5
    assert content["label_resolution"] == ["24x16"]
    assert content["data"] == small_index.fingerprint()
    assert content["checkpoint_sha256"] == sha256_of_file(checkpoint)
    assert content["settings"]["training"] == {"seed": 0}
    assert confusion.sum(axis=1).tolist() == np.sum([sample.pixels for sample in small_index.samples], axis=0).tolist()
    assert scores(confusion, CLASS_SETS["cityscapes19"]).items() <= content.items()


def test_seven_classes_worked_by_hand() -> None:
    """Pixels of two labels of one category are one class: whatever is taken for whatever within it is right."""
    names = CLASS_SETS["vistas7"].classes
    table = id_table(CITYSCAPES_LABELS, CLASS_SETS["vistas7"])
    ids = {label.name: label.id for label in CITYSCAPES_LABELS}
    truth = table.train_ids[[ids[n] for n in ("road", "sidewalk", "car", "bus", "person", "sky", "static")]]
    prediction = table.train_ids[[ids[n] for n in ("sidewalk", "road", "truck", "pole", "rider", "building", "sky")]]
    found = scores(confusion_matrix(truth, prediction, 7), CLASS_SETS["vistas7"])
    expected = {"flat": 1.0, "construction": 0.0, "object": 0.0, "sky": 0.0, "human": 1.0, "vehicle": 1 / 2}
    assert found["iou"] == dict.fromkeys(names) | expected
    assert found["miou"] == {"vistas7": pytest.approx(2.5 / 6)}
    assert found["pixel_accuracy"] == 4 / 6


def test_without_a_label_the_file_says_that_there_is_nothing_to_evaluate_with(
    tmp_path: Path, small_index: Index, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [replace(sample, label=None, label_size=None, pixels=None) for sample in small_index.samples]
    content = _evaluated(tmp_path, replace(small_index, samples=samples), monkeypatch)
    assert (content["images"], content["unlabelled"], content["label_resolution"]) == (0, 5, [])
    assert content["miou"] == {"cityscapes19": None} and content["pixel_accuracy"] is None
    assert content["iou"] == dict.fromkeys(CLASSES)
    assert not np.array(content["confusion"]).any()
    assert "nothing to evaluate with: none of 5 pictures has a label" in capsys.readouterr().err
    assert table("x", {"source": content}, {}) == "x: nothing to evaluate with: none of 5 pictures has a label\n"


def _evaluated(folder: Path, index: Index, monkeypatch: pytest.MonkeyPatch, main: Main = evaluate) -> dict[str, Any]:
    """What the stage writes of a random network over ``index``."""
    torch.manual_seed(0)
    network = build_network("small", 19)
    torch.nn.init.normal_(network.classifier.weight, std=3.0)  # type: ignore[union-attr, arg-type]
    save_checkpoint(folder / "checkpoint.pt", network, Description.of("small", CLASS_SETS["cityscapes19"], {}, {}))
    write_json(folder / "index.json", index.to_json())
    flags = f"--checkpoint {folder}/checkpoint.pt --index {folder}/index.json --output {folder}/out.json"
    flags += " --size own --batch-size 2 --accelerator cpu --precision 32-true --threads 1"
    monkeypatch.setattr(sys, "argv", ["stage", *flags.split()])
    main()
    content: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return content


def test_miou_json_equals_the_official_evaluation_and_torchmetrics_of_the_predicted_pngs(
    tmp_path: Path, write_cityscapes: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng, used = np.random.default_rng(3), [0, 4, 7, 8, 11, 17, 21, 23, 24, 26, 28, 33]
    frames = {
        f"bonn_{number:06d}_000019": (
            np.kron(rng.integers(0, 256, (6, 9, 3)), np.ones((8, 8, 1))).astype(np.uint8),
            np.kron(rng.choice(used, (12, 18)), np.ones((4, 4))).astype(np.uint8),
        )
        for number in range(4)
    }
    root = write_cityscapes(tmp_path / "data", "val", frames)
    found = inspect("cityscapes", FORMATS["cityscapes"], root, "val", CLASS_SETS["cityscapes19"], Checks())
    ours = _evaluated(tmp_path, found.checked(), monkeypatch)
    manifest = _evaluated(tmp_path, found.checked(), monkeypatch, predict)
    assert manifest["images"] == 4 and sum(manifest["pixels"].values()) == 4 * 48 * 72

    to_id = np.array([trainId2label[train_id].id for train_id in range(19)], dtype=np.uint8)
    official, theirs = generateMatrix(args := CArgs()), torch.zeros((19, 19), dtype=torch.int64)
    args.evalInstLevelScore = args.evalPixelAccuracy = False
    for id_, (_, ids) in frames.items():
        png = tmp_path / f"out/{id_}.png"
        assert sha256_of_file(png) == manifest["files"][id_]["sha256"]
        with Image.open(png) as image:
            assert image.mode == "P" and image.getpalette()[:57] == CLASS_SETS["cityscapes19"].palette()[:57]
            prediction = np.asarray(image)
        Image.fromarray(to_id[prediction]).save(tmp_path / f"{id_}.png")
        label = root / f"gtFine/val/bonn/{id_}_gtFine_labelIds.png"
        evaluatePair(str(tmp_path / f"{id_}.png"), str(label), official, {}, {}, args)
        truth = np.vectorize(lambda id_: id2label[id_].trainId)(ids)
        metric = MulticlassConfusionMatrix(19, ignore_index=255)
        theirs += metric(torch.tensor(prediction).long(), torch.tensor(truth).long())
    expected = {id2label[id_].name: getIouScoreForLabel(id_, official, args) for id_ in to_id}
    for name, iou in ours["iou"].items():
        assert (iou is None and math.isnan(expected[name])) or abs(iou - expected[name]) < 1e-9
    assert abs(ours["miou"]["cityscapes19"] - getScoreAverage(expected, args)) < 1e-9
    assert None in ours["iou"].values() and max(filter(None, ours["iou"].values())) > 0
    assert ours["confusion"] == theirs.tolist()
    hits = theirs.diag().double()
    jaccard = hits / (theirs.sum(0) + theirs.sum(1) - hits)
    assert abs(ours["miou"]["cityscapes19"] - jaccard.nanmean().item()) < 1e-9


def test_synthias_model_is_scored_over_13_classes_beside_its_16() -> None:
    """Every class is right in half of its pixels, and otherwise taken for the next; "wall" occurs nowhere."""
    names = CLASS_SETS["synthia16"].classes
    confusion = np.zeros((16, 16), dtype=np.int64)
    for row in range(16):
        confusion[row, row], confusion[row, (row + 1) % 16] = 3, 3
    wall = names.index("wall")
    confusion[wall], confusion[:, wall] = 0, 0
    found = scores(confusion, CLASS_SETS["synthia16"])
    # the one before wall is never taken for it, the one behind never gets its pixels
    assert found["iou"] == dict.fromkeys(names, 3 / 9) | {"wall": None, "building": 3 / 6, "fence": 3 / 6}
    assert found["miou"] == {
        "synthia16": pytest.approx((13 * 3 / 9 + 2 * 3 / 6) / 15),
        "synthia13": pytest.approx((12 * 3 / 9 + 3 / 6) / 13),
    }
    assert scores(np.eye(19, dtype=np.int64), CLASS_SETS["cityscapes19"])["miou"] == {"cityscapes19": 1.0}
