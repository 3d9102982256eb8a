"""Tables, records, indexes and declarations with values of other kinds: one line, or none to continue from."""

import json
from pathlib import Path
from typing import Any

import pytest

from esl.data.changes import ABSENT, state
from esl.data.formats.build import format_named
from esl.data.formats.mapillary import labels_of
from esl.data.index import Index, read_index
from esl.errors import InputError
from esl.stages.doctor import read_declarations


@pytest.mark.parametrize("change", [{"name": 7}, {"name": None}, {"color": [1, 2]}, {"color": [1, 2, 300]}])
def test_a_label_of_vistas_of_another_kind_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    label = {"name": "nature--sky", "color": [1, 2, 3]} | change
    (tmp_path / "config.json").write_text(json.dumps({"labels": [label]}))
    with pytest.raises(InputError, match=r"config\.json: not a config file of Mapillary Vistas \(labels\.0\."):
        labels_of(tmp_path / "config.json")


@pytest.mark.parametrize("content", [{"token": "a\nb"}, {"files": {"x": [1, 2, 3]}}, {"image_token": "\0"}])
def test_a_record_of_other_values_is_none(tmp_path: Path, content: dict[str, Any]) -> None:
    plausible = {"token": "a", "image_token": "b", "images": {}, "files": {}}
    (tmp_path / "a.files.json").write_text(json.dumps(plausible | content))
    assert state(tmp_path / "none", format_named("gta5"), "all", tmp_path / "a.files.json") == (ABSENT, ABSENT)


@pytest.mark.parametrize("change", [{"pixels": [1]}, {"size_wh": [0, 5]}, {"id": "../x"}, {"label_sha256": None}])
def test_a_sample_of_other_values_is_refused(tmp_path: Path, small_index: Index, change: dict[str, Any]) -> None:
    content = small_index.to_json()
    content["samples"][0] |= change
    (tmp_path / "index.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=r"index\.json: ") as caught:
        read_index(tmp_path / "index.json")
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "text", ["a: [", "a: 2001-99-99", "[" * 3000, "datasets: {? [a] : 1}", "datasets: {a: {title: .nan}}"]
)
def test_yaml_that_is_no_declaration_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(InputError) as caught:
        read_declarations([tmp_path / "own.yaml"])
    assert all(line.startswith((str(tmp_path), "datasets")) for line in str(caught.value).splitlines())
