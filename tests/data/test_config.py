"""The data in the config: possible splits, declarations of datasets, and classes."""

import json
from copy import deepcopy
from typing import Any

import pytest
import yaml
from snakemake.utils import update_config

from esl.data.config import ClassDeclaration, DatasetDeclaration, SourceData, TargetData, merged_declarations
from esl.data.formats.registry import DECLARATIONS
from esl.errors import InputError

ROOT = {"dataset": "gta5", "root": "data/gta5"}


def test_defaults_are_those_of_the_manual() -> None:
    source = SourceData.from_json(json.dumps(ROOT))
    assert (source.split, source.size, source.mismatched_labels, source.missing_labels) == (
        "all",
        "own",
        "error",
        "error",
    )
    target = TargetData.from_json(json.dumps(ROOT))
    assert (target.train_split, target.val_split, target.size, target.mismatched_labels) == (
        "train",
        "val",
        "own",
        "error",
    )


@pytest.mark.parametrize(
    "split", ["all", "day-1", "lists/mine.txt", "my lists/half.txt", "a/ulm_*", "* !a/b?_[cd].png"]
)
def test_a_split_is_a_plain_name_patterns_or_the_path_of_a_list_file(split: str) -> None:
    assert SourceData.from_json(json.dumps({**ROOT, "split": split})).split == split


@pytest.mark.parametrize(
    "split",
    ["", "../train", "a/b", "/mine.txt", "../mine.txt", "a/../../mine.txt", "mine.csv", "/a*", "a* ../b*", "a b"],
)
def test_a_split_that_leads_out_of_the_root_or_has_another_form_is_refused(split: str) -> None:
    with pytest.raises(InputError, match="val_split: "):
        TargetData.from_json(json.dumps({**ROOT, "val_split": split}))


@pytest.mark.parametrize(
    ("cls", "change", "message"),
    [
        (SourceData, {"root": ""}, "root: "),
        (SourceData, {"size": "big"}, "size: "),
        (SourceData, {"mismatched_labels": "ignore"}, "mismatched_labels: "),
        (TargetData, {"missing_labels": "skip"}, "missing_labels: "),  # a target needs no labels
        (TargetData, {"split": "all"}, "split: "),
    ],
)
def test_a_wrong_value_or_an_unknown_key_is_refused_by_name(
    cls: type[SourceData] | type[TargetData], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        cls.from_json(json.dumps({**ROOT, **change}))


@pytest.mark.parametrize("name", yaml.safe_load(DECLARATIONS.read_text()))
def test_every_shipped_declaration_is_one_that_a_config_may_hold(name: str) -> None:
    entry = json.dumps(yaml.safe_load(DECLARATIONS.read_text())[name])
    assert DatasetDeclaration.from_json(entry).images


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({}, "images: "),
        ({"images": []}, "images"),
        ({"images": ""}, "images"),
        ({"images": "a", "labels": [{"files": "b"}]}, "expected either `ids` or `colours`"),
        ({"images": "a", "labels": [{"files": "b", "ids": "gta5", "colours": {"a": [1, 2, 3]}}]}, "expected either"),
        ({"images": "a", "labels": [{"files": "b", "colours": {"a": [1, 2, 300]}}]}, "colours"),
        ({"images": "a", "labels": [{"files": "b", "colours": {"a": [1, 2]}}]}, "colours"),
        ({"images": "a", "labels": [{"files": "b", "ids": {}}]}, "ids"),
        ({"images": "a", "labels": [{"ids": "gta5"}]}, "files: "),
        ({"pictures": "a"}, "pictures: "),
    ],
)
def test_a_declaration_of_another_form_is_refused_by_key(declaration: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        DatasetDeclaration.from_json(json.dumps(declaration))


def test_a_class_may_be_empty_or_give_its_labels_or_its_colour() -> None:
    for entry in ({}, {"labels": ["road", "parking"]}, {"colour": [1, 2, 3]}):
        assert ClassDeclaration.from_json(json.dumps(entry)).model_dump(exclude_unset=True) == entry
    for entry in ({"labels": []}, {"colour": [1, 2]}, {"colour": [1, 2, 256]}, {"color": [1, 2, 3]}):
        with pytest.raises(InputError, match=next(iter(entry))):
            ClassDeclaration.from_json(json.dumps(entry))


FIRST = {"datasets": {"a": {"images": "x", "labels": [{"files": "y", "ids": {0: "road", 255: None}}]}, "b": {}}}


@pytest.mark.parametrize(
    "overlay",
    [
        {},
        {"datasets": {"a": {"title": "A"}}},
        {"datasets": {"a": {"labels": [{"files": "z"}]}, "c": {"images": "q"}}},
        {"datasets": {"a": "x"}, "class_sets": {"two": {"road": {"labels": ["road"]}, "car": {}}}},
        {"datasets": {"a": {"images": {"deep": 1}}}, "benchmarks": {}},
    ],
)
def test_declarations_are_merged_as_snakemake_merges_config_files(overlay: dict[str, Any]) -> None:
    before = deepcopy(FIRST)
    merged = merged_declarations([FIRST, overlay])
    assert before == FIRST
    update_config(before, deepcopy(overlay))
    assert merged == {"datasets": before["datasets"], "class_sets": before.get("class_sets", {})}


def test_null_removes_a_declaration_that_a_later_file_may_give_again() -> None:
    removed: dict[str, Any] = {"datasets": {"a": None}}
    assert merged_declarations([FIRST, removed])["datasets"] == {"b": {}}
    assert merged_declarations([FIRST, removed, {"datasets": {"a": {"images": "z"}}}])["datasets"]["a"] == {
        "images": "z"
    }
    assert merged_declarations([FIRST, {"datasets": None}]) == {"datasets": {}, "class_sets": {}}
    ids = merged_declarations([FIRST])["datasets"]["a"]["labels"][0]["ids"]
    assert ids == {0: "road", 255: None}  # null means something else there
