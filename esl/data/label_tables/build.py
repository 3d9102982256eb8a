"""Tables of label ids by name, from the registry."""

from collections.abc import Mapping
from pkgutil import resolve_name
from typing import Any

from esl.classes import Label
from esl.data.label_tables.registry import LABEL_TABLES


def label_table(name: str) -> tuple[Label, ...]:
    """The labels of a table in the registry."""
    labels: tuple[Label, ...] = resolve_name(LABEL_TABLES[name])
    return labels


def table_modules(declaration: Mapping[str, Any]) -> list[str]:
    """The modules of the tables in a dataset's declaration: roots of the code digest of its index."""
    names = [entry.get("ids") for entry in declaration.get("labels", [])]
    return [LABEL_TABLES[name].partition(":")[0] for name in names if isinstance(name, str) and name in LABEL_TABLES]
