"""The readers of miou.json and best_snapshot.json: the content, or one line that names the file and the key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esl.errors import InputError
from esl.evaluation.contents import read_scores, read_table
from esl.files import write_json
from tests.contents import refused

SCORES: dict[str, Any] = {
    "miou": {"cityscapes19": 0.375, "other": None},
    "iou": {"road": 0.5, "sky": 0.25, "train": None},
    "pixel_accuracy": 0.75,
    "confusion": [[2, 1, 0], [1, 1, 0], [0, 0, 0]],
    "label_resolution": ["24x16"],
    "images": 5,
    "unlabelled": 0,
    "data": "miniature",
    "labels_sha256": "ab" * 32,
    "settings": {"size": "own", "training": {"seed": 1}},
    "versions": {"numpy": "2.0.0"},
    "checkpoint_sha256": "0" * 64,
}
CANDIDATES = [{"iteration": 1, "miou": 0.375}, {"iteration": 2, "miou": None}]
BEST: dict[str, Any] = {"chosen_by": "target labels", "iteration": 1, "candidates": CANDIDATES, **SCORES}
TABLE: dict[str, Any] = {"benchmark": "gta2city", "models": {"source": SCORES, "esl-round1": SCORES}}


def _refused(path: Path, text: str, reason: str, read: Callable[[Path], Any] = read_scores) -> None:
    refused(path, text, reason, read)


def test_what_a_stage_wrote_is_read_back_as_it_is(tmp_path: Path) -> None:
    for content in (SCORES, {**SCORES, "pixel_accuracy": None}, BEST):
        write_json(tmp_path / "a.json", content)
        assert read_scores(tmp_path / "a.json").to_json() == content
    for content in (TABLE, {**TABLE, "best_snapshots": {"source": BEST}}):
        write_json(tmp_path / "a.json", content)
        assert read_table(tmp_path / "a.json").to_json() == content


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"miou": {"cityscapes19": 2.0}}, r"miou\.cityscapes19"),
        ({"miou": {}}, "miou"),
        ({"iou": {**SCORES["iou"], "sky": -0.1}}, r"iou\.sky"),
        ({"iou": {"road": 0.5}}, "iou"),
        ({"iou": [0.5, 0.25, None]}, "iou"),
        ({"pixel_accuracy": "0.75"}, "pixel_accuracy"),
        ({"confusion": [[2, 1, 0], [1, 1], [0, 0, 0]]}, "confusion"),
        ({"confusion": [[2, 1, 0], [1, 1, 0]]}, "confusion"),
        ({"confusion": [[2, 1], [1, 1]]}, "confusion"),
        ({"confusion": [[2, 1, 0], [1, -1, 0], [0, 0, 0]]}, r"confusion\.1\.1"),
        ({"confusion": [[2, 1, 0], [1, 0.5, 0], [0, 0, 0]]}, r"confusion\.1\.1"),
        ({"confusion": [[2, 1, 0], [1, 2**63, 0], [0, 0, 0]]}, r"confusion\.1\.1"),
        ({"label_resolution": "24x16"}, "label_resolution"),
        ({"images": True}, "images"),
        ({"labels_sha256": "ab"}, "labels_sha256"),
        ({"checkpoint_sha256": "../../x"}, "checkpoint_sha256"),
        ({"versions": {"numpy": 2}}, r"versions\.numpy"),
        ({"more": 1}, "more"),
    ],
)
def test_a_value_out_of_its_range_is_named(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    text = json.dumps(SCORES | change)
    _refused(tmp_path / "a.json", text, rf"the scores of a model \({key}: ")


@pytest.mark.parametrize("key", SCORES)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    text = json.dumps({name: value for name, value in SCORES.items() if name != key})
    _refused(tmp_path / "a.json", text, rf"the scores of a model \({key}: field required")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    text = json.dumps({**SCORES, "pixel_accuracy": 0.125})
    _refused(tmp_path / "a.json", text.replace("0.125", "NaN"), r"readable as JSON \(NaN is no number")
    _refused(tmp_path / "a.json", text.replace("0.125", "1e999"), r"the scores of a model \(pixel_accuracy: ")


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"iteration": -1}, "iteration"),
        ({"candidates": []}, "candidates"),
        ({"candidates": [{"iteration": 1}]}, r"candidates\.0\.miou"),
        ({"chosen_by": None}, "chosen_by"),
        ({"images": -1}, "images"),
    ],
)
def test_a_damaged_best_snapshot_is_refused_as_what_it_is(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    _refused(tmp_path / "a.json", json.dumps(BEST | change), rf"the scores of a model \({key}: ")


def test_a_long_value_is_shortened(tmp_path: Path) -> None:
    text = json.dumps({**SCORES, "images": list(range(10_000))})
    _refused(tmp_path / "a.json", text, r"the scores of a model \(images")
    with pytest.raises(InputError) as caught:
        read_scores(tmp_path / "a.json")
    assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"models": {}}, "models"),
        ({"models": [SCORES]}, "models"),
        ({"models": {"source": {**SCORES, "images": -1}}}, r"models\.source\.images"),
        ({"models": {"source": {**SCORES, "confusion": [[1]]}}}, r"models\.source: confusion"),
        ({"models": {"source": SCORES, "b": {**SCORES, "iou": {"x": None, "y": None, "z": None}}}}, "models"),
        ({"best_snapshots": {"other": BEST}}, "best_snapshots"),
        ({"models": {"source": BEST}}, r"models\.source\.chosen_by"),
        ({"benchmark": None}, "benchmark"),
        ({"best_snapshots": {"source": SCORES}}, r"best_snapshots\.source\.chosen_by"),
        ({"best_snapshots": {"source": {**BEST, "iteration": -1}}}, r"best_snapshots\.source\.iteration"),
        ({"best_snapshots": {"source": {**BEST, "candidates": []}}}, r"best_snapshots\.source\.candidates"),
        ({"more": 1}, "more"),
    ],
)
def test_a_value_of_a_benchmark_out_of_its_range_is_named(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    text = json.dumps(TABLE | change)
    _refused(tmp_path / "a.json", text, rf"the scores of a benchmark \({key}: ", read_table)
