"""Formats that a few lines of YAML declare: those beside this file, and those of a user's config."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from esl.classes import ClassSet, Label
from esl.data.formats.base import LabelFiles
from esl.data.formats.mapillary import CATEGORIES
from esl.data.formats.patterns import Layout
from esl.data.label_tables import CITYSCAPES_LABELS, LABEL_TABLES
from esl.errors import InputError

DECLARATIONS = Path(__file__).with_suffix(".yaml")

Declaration = Mapping[str, Any]
"""``pictures`` (one pattern or more, or a folder: see ``Layout``) and ``labels``, a list of ``files`` with ``ids`` (the
name of a table, or id -> name of a label, null where it means nothing) or ``colours`` (name of a label -> R, G, B)."""


@cache
def shipped() -> dict[str, Layout]:
    """The formats declared beside this file, by name."""
    return {name: declared(name, entry) for name, entry in yaml.safe_load(DECLARATIONS.read_text("utf-8")).items()}


def declared(name: str, declaration: Declaration) -> Layout:
    """The format that a declaration describes.

    Raises:
        InputError: a pattern that climbs out of the root, an unknown table, or an id or colour that stands twice.
    """
    if "pictures" not in declaration:
        raise InputError(f"datasets.{name}: pictures: say where they lie")
    pictures = declaration["pictures"]
    patterns = (pictures,) if isinstance(pictures, str) else tuple(pictures)
    label_files = tuple(_label_files(name, entry) for entry in declaration.get("labels", []))
    for pattern in (*patterns, *(files.pattern for files in label_files)):
        if Path(pattern).is_absolute() or ".." in Path(pattern).parts:
            raise InputError(f"datasets.{name}: {pattern!r}: expected a path below the root, without ..")
        if "**" in pattern:
            raise InputError(f"datasets.{name}: {pattern!r}: ** is no pattern; name a folder to take all that is below")
    return Layout(declaration.get("title", name), patterns, label_files)


def _label_files(name: str, entry: Declaration) -> LabelFiles:
    if "colours" in entry:
        return LabelFiles(entry["files"], tuple(_coloured(name, entry["colours"])), "colours")
    ids = entry["ids"]
    if isinstance(ids, str):
        if ids not in LABEL_TABLES:
            raise InputError(f"datasets.{name}: ids: expected one of {', '.join(LABEL_TABLES)}, but got {ids!r}")
        return LabelFiles(entry["files"], LABEL_TABLES[ids], "first_of_16_bits" if ids == "synthia" else "ids")
    return LabelFiles(entry["files"], tuple(_numbered(name, ids)))


def _numbered(name: str, ids: Mapping[Any, str | None]) -> Iterator[Label]:
    given: set[int] = set()
    for id_, label in ids.items():
        if not (str(id_).isdigit() and int(id_) <= 255):
            raise InputError(f"datasets.{name}: ids: expected whole numbers from 0 to 255, but got {id_!r}")
        if int(id_) in given:
            raise InputError(f"datasets.{name}: ids: {id_} stands there twice")
        given.add(int(id_))
        yield Label(int(id_), label or "unlabeled")


def _coloured(name: str, colours: Mapping[str, Any]) -> Iterator[Label]:
    owners: dict[tuple[int, int, int], str] = {}
    for label, entry in colours.items():
        for red, green, blue in [entry] if isinstance(entry[0], int) else entry:  # a label can have several colours
            if (red, green, blue) in owners:
                first = owners[red, green, blue]
                raise InputError(f"datasets.{name}: {first!r} and {label!r} have one colour, {(red, green, blue)}")
            yield Label(len(owners), label, colour=(red, green, blue))
            owners[red, green, blue] = label


def unknown_members(class_set: ClassSet, own: Sequence[Layout]) -> list[str]:
    """Labels of a class set that no data set has, shipped or of the user's own, each with the likely correction."""
    kinds = [files for layout in (*shipped().values(), *own) for files in layout.label_files]
    labels = [label for table in (*LABEL_TABLES.values(), *(files.labels for files in kinds)) for label in table]
    known = {label.name for label in labels} | CATEGORIES
    unknown = sorted(name for names in class_set.members for name in names if name not in known)
    return [f"{name!r}{_suggestion(name, known)}" for name in unknown if "--" not in name]


def unknown_names(layout: Layout, members: tuple[tuple[str, ...], ...]) -> list[str]:
    """Names in a declaration that neither the class set nor Cityscapes knows, each with the likely correction."""
    known = {label.name for label in CITYSCAPES_LABELS} | {name for names in members for name in names}
    unknown = {label.name for files in layout.label_files for label in files.labels} - known
    return [f"{name!r}{_suggestion(name, known)}" for name in sorted(unknown)]


def _suggestion(name: str, known: set[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
