"""The readers of pseudo_labels.json and predictions.json: the content, or one line that names the file and the key."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from esl.files import write_json
from esl.labels.manifest import read_any_manifest, read_manifest
from tests.contents import refused

FILE = {"sha256": "ab" * 32, "kept": 0.5}
PSEUDO_LABELS: dict[str, Any] = {
    "method": "esl",
    "teacher_sha256": "0" * 64,
    "images": 2,
    "kept": 0.25,
    "kept_pixels": {"road": 192, "car": 0},
    "quality": {
        "labelled_images": 2,
        "accuracy": None,
        "coverage": 0.25,
        "classes": {"road": {"accuracy": None, "coverage": 0.25}},
        "accuracy_at_coverage": {"entropy": {"0.1": 0.75, "1.0": None}},
        "risk_coverage": {},
    },
    "files": {"a": FILE, "b/c": {**FILE, "kept": 0}},
}
PREDICTIONS: dict[str, Any] = {
    "checkpoint_sha256": "0" * 64,
    "images": 1,
    "pixels": {"road": 384, "car": 0},
    "files": {"a": {"sha256": "ab" * 32}},
}


def _refused(path: Path, text: str, reason: str, read: Callable[[Path], Any] = read_manifest) -> None:
    refused(path, text, reason, read)


def test_what_a_stage_wrote_is_read_back_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for content in (PSEUDO_LABELS, {**PSEUDO_LABELS, "quality": None}):
        write_json(path, content)
        assert read_manifest(path).to_json() == read_any_manifest(path).to_json() == content
    write_json(path, PREDICTIONS)
    assert read_any_manifest(path).to_json() == PREDICTIONS


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"kept": 1.5}, "kept"),
        ({"kept": "0.5"}, "kept"),
        ({"kept": None}, "kept"),
        ({"teacher_sha256": "../../x"}, "teacher_sha256"),
        ({"method": 1}, "method"),
        ({"images": 3}, "images"),
        ({"images": 2.0}, "images"),
        ({"files": [FILE, FILE]}, "files"),
        ({"images": 0, "files": {}}, "files"),
        ({"images": 1, "files": {"a": {**FILE, "sha256": "../../x"}}}, r"files\.a\.sha256"),
        ({"images": 1, "files": {"a": {**FILE, "kept": -0.1}}}, r"files\.a\.kept"),
        ({"images": 1, "files": {"a": {**FILE, "more": 1}}}, r"files\.a\.more"),
        ({"kept_pixels": {"road": -1}}, r"kept_pixels\.road"),
        ({"quality": 0.9}, "quality"),
        ({"quality": {"labelled_images": 1, "coverage": 0.25}}, r"quality\.accuracy"),
        ({"kept_pixels": {"road": 10**30}}, r"kept_pixels\.road"),
        ({"more": 1}, "more"),
    ],
)
def test_a_value_out_of_its_range_is_named(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    text = json.dumps(PSEUDO_LABELS | change)
    _refused(tmp_path / "a.json", text, rf"the manifest of pseudo-labels \({key}: ")


@pytest.mark.parametrize("key", PSEUDO_LABELS)
def test_a_missing_key_is_named(tmp_path: Path, key: str) -> None:
    text = json.dumps({name: value for name, value in PSEUDO_LABELS.items() if name != key})
    _refused(tmp_path / "a.json", text, rf"the manifest of pseudo-labels \({key}: field required")


def test_numbers_that_are_none_are_refused(tmp_path: Path) -> None:
    text = json.dumps({**PSEUDO_LABELS, "kept": 0.125})
    _refused(tmp_path / "a.json", text.replace("0.125", "NaN"), r"readable as JSON \(NaN is no number")
    _refused(tmp_path / "a.json", text.replace("0.125", "1e999"), r"the manifest of pseudo-labels \(kept: ")


def test_predictions_are_no_pseudo_labels_and_damaged_ones_are_neither(tmp_path: Path) -> None:
    _refused(tmp_path / "a.json", json.dumps(PREDICTIONS), r"the manifest of pseudo-labels \(")
    for change in ({"images": 2}, {"pixels": {"road": -1}}, {"checkpoint_sha256": "../../x"}, {"kept": 0.5}):
        text = json.dumps(PREDICTIONS | change)
        _refused(tmp_path / "a.json", text, r"the manifest of pseudo-labels or predictions \(", read_any_manifest)
