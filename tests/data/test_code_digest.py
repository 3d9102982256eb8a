"""The code digest of an index covers no text for people, and only the tables of labels of its dataset."""

import ast
import re
from collections.abc import Iterator

import pytest
from planning.digest import import_closure

from esl.data.formats.build import declaration, format_module, format_names
from esl.data.formats.registry import FORMATS
from esl.data.label_tables.build import label_table, table_modules
from esl.data.label_tables.registry import LABEL_TABLES

TABLES = "esl.data.label_tables"
NAMES = (re.compile(r"GTA5 \(.*\)"), re.compile(r"Mapillary Vistas \(.*\)"), re.compile(r"a folder of images"))
"""The titles of formats."""


def _texts(name: str) -> Iterator[str]:
    """Strings of two words and more in the digest of a module, but for the names of labels and formats."""
    labels = {label.name for table in LABEL_TABLES for label in label_table(table)}
    for node in ast.walk(import_closure([name])[name]):
        value = getattr(node, "value", None) if isinstance(node, ast.Constant) else None
        if not isinstance(value, str) or value in labels or any(pattern.fullmatch(value) for pattern in NAMES):
            continue
        if re.search(r"[a-z]+ [a-z]+", value):
            yield value


def _modules() -> list[str]:
    """The modules of this package behind an index, in any format."""
    roots = ["esl.stages.index", *map(format_module, FORMATS), format_module("x", declared=True)]
    return [name for name in import_closure(roots) if name.startswith("esl.data.")]


@pytest.mark.parametrize("name", [*_modules(), "esl.stages.index"])
def test_texts_for_people_are_no_part_of_the_digest(name: str) -> None:
    assert [*_texts(name)] == []


def test_an_index_depends_on_the_tables_that_its_declaration_names_and_on_no_other() -> None:
    closure = import_closure(["esl.stages.index", format_module("x", declared=True)])
    assert {name for name in closure if TABLES in name} == {TABLES, f"{TABLES}.build"}
    modules = {name: table_modules(declaration(name) or {}) for name in format_names()}
    assert set(modules["synthia"]) == {f"{TABLES}.synthia"} and set(modules["cityscapes"]) == {f"{TABLES}.cityscapes"}
    assert modules["gta5"] == modules["folder"] == []  # no declarations; gta5's module imports its table
    own = {"images": "x", "labels": [{"files": "y", "ids": {"1": "road"}}, {"files": "z", "colours": {"a": [1, 2, 3]}}]}
    assert table_modules(own) == table_modules({"images": "x"}) == []
    own["labels"] = [{"files": "y", "ids": "gta5"}, {"files": "z", "ids": "no such table"}]
    assert table_modules(own) == [f"{TABLES}.gta5"]


def test_the_rendering_depends_on_tables_but_not_on_their_registry() -> None:
    closure = import_closure(["miniature.__main__"])
    assert {name for name in closure if name.startswith(f"{TABLES}.")} == {
        f"{TABLES}.{name}" for name in ("cityscapes", "gta5", "synthia")
    }
