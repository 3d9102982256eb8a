"""miou.json: hand-worked scores, every promised key, and nothing that changes from run to run."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from esl.classes import CLASS_SETS
from esl.datasets.index import Index
from esl.files import sha256_of_file, write_json
from esl.models import build_network
from esl.models.checkpoint import Description, save_checkpoint
from esl.stages.evaluate import main, scores

CLASSES = CLASS_SETS["cityscapes19"].classes


def test_scores_worked_by_hand_are_keyed_by_class() -> None:
    confusion = np.zeros((19, 19), dtype=np.int64)
    confusion[0, 0], confusion[0, 1], confusion[1, 0], confusion[1, 1], confusion[10, 13] = 6, 2, 1, 3, 4
    found = scores(confusion, "cityscapes19")
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
    save_checkpoint(checkpoint, build_network("small", 19), Description("small", "cityscapes19", {"seed": 0}, {}))
    write_json(tmp_path / "index.json", small_index.to_json())
    for name in ("a", "b"):
        flags = f"--checkpoint {checkpoint} --index {tmp_path / 'index.json'} --output {tmp_path / name}/miou.json"
        flags += " --size own --batch-size 2 --accelerator cpu --precision 32-true --threads 1"
        monkeypatch.setattr(sys, "argv", ["evaluate", *flags.split()])
        main()
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
    assert scores(confusion, "cityscapes19").items() <= content.items()


def test_synthias_model_is_scored_over_13_classes_beside_its_16() -> None:
    """Every class is right in half of its pixels, and otherwise taken for the next; "wall" occurs nowhere."""
    names = CLASS_SETS["synthia16"].classes
    confusion = np.zeros((16, 16), dtype=np.int64)
    for row in range(16):
        confusion[row, row], confusion[row, (row + 1) % 16] = 3, 3
    wall = names.index("wall")
    confusion[wall], confusion[:, wall] = 0, 0
    found = scores(confusion, "synthia16")
    # the one before wall is never taken for it, the one behind never gets its pixels
    assert found["iou"] == dict.fromkeys(names, 3 / 9) | {"wall": None, "building": 3 / 6, "fence": 3 / 6}
    assert found["miou"] == {
        "synthia16": pytest.approx((13 * 3 / 9 + 2 * 3 / 6) / 15),
        "synthia13": pytest.approx((12 * 3 / 9 + 3 / 6) / 13),
    }
    assert scores(np.eye(19, dtype=np.int64), "cityscapes19")["miou"] == {"cityscapes19": 1.0}
