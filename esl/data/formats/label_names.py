"""Finds misspelt names of labels in the user's declarations, each with the likely correction."""

from collections.abc import Sequence

from esl.classes import ClassSet
from esl.data.formats.build import format_named, format_names
from esl.data.formats.mapillary import CATEGORIES
from esl.data.formats.patterns import Layout
from esl.data.label_tables.build import label_table
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.registry import LABEL_TABLES
from esl.errors import suggestion


def unknown_members(class_set: ClassSet, own: Sequence[Layout]) -> list[str]:
    """Labels of a class set in no dataset, neither a shipped one nor one of the user's ``own``."""
    shipped = [format_ for name in format_names() if isinstance(format_ := format_named(name), Layout)]
    kinds = [files for layout in (*shipped, *own) for files in layout.label_files]
    tables = [*map(label_table, LABEL_TABLES), *(files.labels for files in kinds)]
    known = {label.name for table in tables for label in table} | CATEGORIES
    unknown = sorted(name for names in class_set.members for name in names if name not in known)
    return [f"{name!r}{suggestion(name, known)}" for name in unknown if "--" not in name]


def unknown_names(layout: Layout, members: tuple[tuple[str, ...], ...]) -> list[str]:
    """Names in a declaration outside of all class sets and of the labels of Cityscapes."""
    known = {label.name for label in CITYSCAPES_LABELS} | {name for names in members for name in names}
    coloured = {label.name for files in layout.label_files if files.encoding == "colours" for label in files.labels}
    unknown = {label.name for files in layout.label_files for label in files.labels} - known
    fix = "; `unlabeled` ignores a colour"
    return [f"{name!r}{suggestion(name, known)}{fix if name in coloured else ''}" for name in sorted(unknown)]
