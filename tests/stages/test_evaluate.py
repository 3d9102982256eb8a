"""miou.json: hand-worked scores, every promised key, and nothing that changes from run to run."""

import json
import math
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
from sklearn.metrics import confusion_matrix

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from esl.evaluation.confusions import read_confusions, read_confusions_of
from esl.evaluation.contents import BenchmarkScores, ModelScores, read_scores
from esl.evaluation.report import table
from esl.evaluation.scores import scores
from esl.files import sha256_of_file, write_json
from esl.models.build import build_network
from esl.models.checkpoint import Description, save_checkpoint
from esl.stages.evaluate import main as evaluate
from esl.stages.predict import main as predict

Main = Callable[[list[str]], None]

CLASSES = CLASS_SETS["cityscapes19"].classes


def test_the_file_is_complete_consistent_and_the_same_at_every_run(tmp_path: Path, small_index: Index) -> None:
    torch.manual_seed(0)
    checkpoint = tmp_path / "checkpoint.pt"
    save_checkpoint(
        checkpoint,
        build_network("small", 19).state_dict(),
        Description.of("small", CLASS_SETS["cityscapes19"], {"seed": 0}, {}),
    )
    write_json(tmp_path / "index.json", small_index.to_json())
    for name in ("a", "b"):
        evaluate(_flags(checkpoint, tmp_path / "index.json", tmp_path / name / "miou.json"))
    for name in ("miou.json", "confusions.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    matrices = read_confusions_of(path := tmp_path / "a" / "miou.json", read_scores(path))
    assert [*zip(matrices.ids, matrices.images, strict=True)] == [(own.id, own.image) for own in small_index.samples]
    content = json.loads((tmp_path / "a" / "miou.json").read_text())
    assert content.keys() >= {"miou", "iou", "pixel_accuracy", "confusion", "settings", "versions"}
    confusion = np.array(content["confusion"])
    assert content["images"] == 5
    assert content["label_resolution"] == ["24x16"]
    assert content["data"] == content["labels_sha256"] == small_index.fingerprint()
    assert content["checkpoint_sha256"] == sha256_of_file(checkpoint)
    assert content["settings"]["training"] == {"seed": 0}
    assert confusion.sum(axis=1).tolist() == np.sum([sample.pixels for sample in small_index.samples], axis=0).tolist()
    assert scores(confusion, CLASS_SETS["cityscapes19"]).to_json().items() <= content.items()


def test_without_a_label_the_file_says_that_there_is_nothing_to_evaluate(
    tmp_path: Path, small_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    samples = [replace(sample, label=None, label_size_wh=None, pixels=None) for sample in small_index.samples]
    content = _evaluated(tmp_path, replace(small_index, samples=samples))
    assert (content["images"], content["unlabelled"], content["label_resolution"]) == (0, 5, [])
    assert content["miou"] == {"cityscapes19": None} and content["pixel_accuracy"] is None
    assert content["iou"] == dict.fromkeys(CLASSES)
    assert not np.array(content["confusion"]).any()
    assert "nothing to evaluate: none of 5 images has a label" in capsys.readouterr().err
    assert read_confusions(tmp_path / "confusions.npz").ids == ()
    shown = table(BenchmarkScores(benchmark="x", models={"source": ModelScores.model_validate(content)}))
    assert shown == "x: nothing to evaluate: none of 5 images has a label\n"


@pytest.mark.parametrize(
    ("change", "message"),
    [({"size": "5x"}, "size: "), ({"batch_size": 0}, "batch_size: "), ({"batch": 1}, "batch: ")],
)
def test_a_wrong_setting_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    for stage in (evaluate, predict):
        with pytest.raises(InputError, match=f"--settings: {message}"):
            stage(_flags(tmp_path / "a.pt", tmp_path / "index.json", tmp_path / "out.json", **change))


def _flags(checkpoint: Path, index: Path, output: Path, **changes: object) -> list[str]:
    settings = {"size": "own", "batch_size": 2, "compute": {"accelerator": "cpu", "precision": "32-true"}, **changes}
    return [
        *("--checkpoint", str(checkpoint), "--index", str(index), "--output", str(output)),
        *("--settings", json.dumps(settings), "--threads", "1"),
    ]


def _evaluated(folder: Path, index: Index, main: Main = evaluate) -> dict[str, Any]:
    """The content of the stage's output for a random network over ``index``."""
    torch.manual_seed(0)
    network = build_network("small", 19)
    torch.nn.init.normal_(network.classifier.weight, std=3.0)  # type: ignore[union-attr, arg-type]
    save_checkpoint(
        folder / "checkpoint.pt", network.state_dict(), Description.of("small", CLASS_SETS["cityscapes19"], {}, {})
    )
    write_json(folder / "index.json", index.to_json())
    main(_flags(folder / "checkpoint.pt", folder / "index.json", folder / "out.json"))
    content: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return content


def test_miou_json_equals_the_official_evaluation_and_scikit_learn_of_the_predicted_pngs(
    tmp_path: Path, write_cityscapes: Callable[..., Path]
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
    inspected = inspect("cityscapes", format_named("cityscapes"), root, "val", CLASS_SETS["cityscapes19"], Checks())
    ours = _evaluated(tmp_path, inspected.sound_index())
    manifest = _evaluated(tmp_path, inspected.sound_index(), predict)
    assert manifest["images"] == 4 and sum(manifest["pixels"].values()) == 4 * 48 * 72

    to_id = np.array([trainId2label[train_id].id for train_id in range(19)], dtype=np.uint8)
    official, theirs = generateMatrix(args := CArgs()), np.zeros((19, 19), dtype=np.int64)
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
        labelled = truth != 255
        theirs += confusion_matrix(truth[labelled], prediction[labelled], labels=range(19))
    expected = {id2label[id_].name: getIouScoreForLabel(id_, official, args) for id_ in to_id}
    for name, iou in ours["iou"].items():
        assert (iou is None and math.isnan(expected[name])) or abs(iou - expected[name]) < 1e-9
    assert abs(ours["miou"]["cityscapes19"] - getScoreAverage(expected, args)) < 1e-9
    assert None in ours["iou"].values() and max(filter(None, ours["iou"].values())) > 0
    assert ours["confusion"] == theirs.tolist()
    hits = np.diag(theirs)
    with np.errstate(invalid="ignore"):
        jaccard = hits / (theirs.sum(0) + theirs.sum(1) - hits)
    assert abs(ours["miou"]["cityscapes19"] - np.nanmean(jaccard)) < 1e-9
