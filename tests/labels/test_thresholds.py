"""The reader of thresholds.json: the content, or one line that names the file and the key."""

import json
from pathlib import Path
from typing import Any

import pytest

from esl.errors import InputError
from esl.files import write_json
from esl.labels.thresholds import read_thresholds

ROAD = {"pixels": 70, "quantile_value": 0.02, "threshold": 0.1, "bounded": True, "kept": 0.9}
NONE = {"pixels": 0, "quantile_value": None, "threshold": None, "bounded": False, "kept": None}
CONTENT: dict[str, Any] = {
    "method": "esl",
    "measure": "entropy",
    "round": 1,
    "parameters": {"quantile": 0.5, "bound": 0.1},
    "images": 2,
    "teacher_sha256": "0" * 64,
    "mean_entropy": 0.25,
    "kept": 0.9,
    "classes": {"road": ROAD, "car": NONE},
}


def test_what_a_stage_wrote_is_read_back_as_it_is(tmp_path: Path) -> None:
    for content in (CONTENT, {**CONTENT, "views": ["flip", 0.75]}, {**CONTENT, "measure": None, "kept": None}):
        write_json(tmp_path / "thresholds.json", content)
        assert read_thresholds(tmp_path / "thresholds.json").to_json() == content


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"classes": {"road": {**ROAD, "threshold": 1.5}, "car": NONE}}, "classes.road.threshold"),
        ({"classes": {"road": {**ROAD, "threshold": -0.1}, "car": NONE}}, "classes.road.threshold"),
        ({"classes": {"road": {**ROAD, "threshold": "0.1"}, "car": NONE}}, "classes.road.threshold"),
        ({"classes": {"road": {**ROAD, "pixels": -1}, "car": NONE}}, "classes.road.pixels"),
        ({"classes": {"road": {"pixels": 3}, "car": NONE}}, "classes.road.quantile_value"),
        ({"classes": {}}, "classes"),
        ({"classes": [ROAD]}, "classes"),
        ({"teacher_sha256": "../../x"}, "teacher_sha256"),
        ({"round": 0}, "round"),
        ({"mean_entropy": None}, "mean_entropy"),
        ({"more": 1}, "more"),
    ],
)
def test_a_value_out_of_its_range_is_named(tmp_path: Path, change: dict[str, Any], key: str) -> None:
    (tmp_path / "thresholds.json").write_text(json.dumps(CONTENT | change))
    with pytest.raises(
        InputError, match=rf"thresholds\.json: not the thresholds of a round \({key}.*; delete it"
    ) as caught:
        read_thresholds(tmp_path / "thresholds.json")
    assert len(str(caught.value).splitlines()) == 1


def test_numbers_that_are_none_are_refused_in_the_settings_of_a_method_too(tmp_path: Path) -> None:
    text = json.dumps(CONTENT | {"parameters": {"bound": 12345}}).replace("12345", "1e999")
    (tmp_path / "thresholds.json").write_text(text)
    with pytest.raises(InputError, match=r"thresholds\.json: holds a number that is not finite.*; delete it"):
        read_thresholds(tmp_path / "thresholds.json")
