"""The tables of label ids that a declared dataset can name. A new table is a module and a row here."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from esl.classes import Label

LABEL_TABLES = {
    "cityscapes": "esl.data.label_tables.cityscapes:CITYSCAPES_LABELS",
    "cityscapes_train_ids": "esl.data.label_tables.cityscapes:TRAIN_ID_LABELS",
    "gta5": "esl.data.label_tables.gta5:GTA5_LABELS",
    "synthia": "esl.data.label_tables.synthia:SYNTHIA_LABELS",
}
"""Name -> module:attribute."""


def label_table(name: str) -> tuple[Label, ...]:
    """The labels of a table, which must be one of those there are."""
    module, _, attribute = LABEL_TABLES[name].partition(":")
    labels: tuple[Label, ...] = getattr(import_module(module), attribute)
    return labels


def table_modules(declaration: Mapping[str, Any]) -> list[str]:
    """The modules of the tables that a dataset's declaration names: roots of the code digest of its index."""
    names = [entry.get("ids") for entry in declaration.get("labels", [])]
    return [LABEL_TABLES[name].partition(":")[0] for name in names if isinstance(name, str) and name in LABEL_TABLES]
