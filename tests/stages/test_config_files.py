"""Config files with an ambiguous or unreadable content are refused in one line."""

from pathlib import Path

import pytest

from esl.errors import InputError
from esl.stages.config_files import read_yaml


def test_what_is_written_is_read_with_its_merges(tmp_path: Path) -> None:
    text = "base: &base {title: Yard, ids: {0: road, '0': sky}}\nown: {<<: *base, title: Field}\nagain: {<<: *base}\n"
    (tmp_path / "own.yaml").write_text(text)
    base = {"title": "Yard", "ids": {0: "road", "0": "sky"}}
    assert read_yaml(tmp_path / "own.yaml") == {"base": base, "own": {**base, "title": "Field"}, "again": base}


def test_a_merge_of_a_merge_may_override_its_keys(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text("a: &a {x: 1}\nb: &b {<<: *a, x: 2}\nc: {<<: *b, x: 3}\nd: {<<: *b}\n")
    assert read_yaml(tmp_path / "own.yaml") == {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}, "d": {"x": 2}}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("datasets: {yard: {images: a}, yard: {images: b}}", "'yard' occurs twice.*line 1, column 31"),
        ("datasets: 1\nclass_sets: 2\ndatasets: 3\n", "'datasets' occurs twice.*line 3"),
        ("datasets: &a {x: *a}", "not readable as YAML .*Circular reference"),
        ("datasets: &a [1, *a]", "not readable as YAML .*Circular reference"),
        ("[" * 5000, "not readable as YAML"),
        ("a: 2024-13-45", "not readable as YAML"),
        ("[1, 2]", "expected a mapping"),
    ],
)
def test_a_file_that_is_no_config_is_refused_in_one_line(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "odd.yaml").write_text(text)
    with pytest.raises(InputError, match=rf"odd\.yaml: .*{reason}") as caught:
        read_yaml(tmp_path / "odd.yaml")
    assert str(caught.value).isprintable()
