"""Builds formats from a few lines of YAML: the entries of ``declared.yaml`` or of a user's config."""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from esl.classes import Encoding, Label
from esl.data.formats.base import LabelFiles
from esl.data.formats.patterns import Layout
from esl.data.images import DEPTH
from esl.data.label_tables.build import label_table
from esl.data.label_tables.registry import LABEL_TABLES
from esl.errors import InputError

Declaration = Mapping[str, Any]
"""A ``DatasetDeclaration`` of the config as JSON: ``title``, ``images``, ``labels`` and ``splits``."""


def build_declared_format(name: str, declaration: Declaration) -> Layout:
    """The format of a declaration.

    Raises:
        InputError: a pattern leads out of the root, a table is unknown, or an id or colour is listed twice.
    """
    if "images" not in declaration:
        raise InputError(f"datasets.{name}: images: missing; give the pattern of their paths below the root")
    images = declaration["images"]
    patterns = (images,) if isinstance(images, str) else tuple(images)
    label_files = tuple(_label_files(name, entry) for entry in declaration.get("labels", []))
    for pattern in (*patterns, *(files.pattern for files in label_files)):
        if PurePosixPath(pattern).is_absolute() or ".." in PurePosixPath(pattern).parts:
            raise InputError(f"datasets.{name}: {pattern!r}: expected a path below the root, without ..")
        if "**" in pattern:
            raise InputError(f"datasets.{name}: {pattern!r}: ** is not supported; name a folder to take all below it")
    splits = tuple(declaration.get("splits") or ())
    return Layout(declaration.get("title", name), patterns, label_files, splits, declaration.get("bits", DEPTH))


def _label_files(name: str, entry: Declaration) -> LabelFiles:
    if "colours" in entry:
        return LabelFiles(entry["files"], tuple(_labels_of_colours(name, entry["colours"])), "colours")
    ids, red = entry["ids"], entry.get("channel") == "red"
    if isinstance(ids, str):
        if ids not in LABEL_TABLES:
            raise InputError(f"datasets.{name}: ids: expected one of {', '.join(LABEL_TABLES)}, but got {ids!r}")
        encoding: Encoding = "first_of_16_bits" if ids == "synthia" else "ids"
        return LabelFiles(entry["files"], label_table(ids), "red" if red else encoding)
    return LabelFiles(entry["files"], tuple(_labels_of_ids(name, ids)), "red" if red else "ids")


def _labels_of_ids(name: str, ids: Mapping[Any, str | None]) -> Iterator[Label]:
    listed: set[int] = set()
    for id_, label in sorted(ids.items(), key=lambda entry: str(entry[0]).zfill(3)):  # JSON may reorder them
        if not (str(id_).isdigit() and int(id_) <= 255):
            raise InputError(f"datasets.{name}: ids: expected whole numbers from 0 to 255, but got {id_!r}")
        if int(id_) in listed:
            raise InputError(f"datasets.{name}: ids: {id_} is listed twice")
        listed.add(int(id_))
        yield Label(int(id_), label or "unlabeled")


def _labels_of_colours(name: str, colours: Mapping[Any, Any]) -> Iterator[Label]:
    owners: dict[tuple[int, int, int], str] = {}
    for label in colours:
        if not isinstance(label, str):
            raise InputError(
                f"datasets.{name}: colours: expected the name of a label, but got {label!r}; `unlabeled` "
                "ignores its colours"
            )
    for label, entry in sorted(colours.items()):
        for red, green, blue in [entry] if isinstance(entry[0], int) else entry:  # a label can have several colours
            if (red, green, blue) in owners:
                first = owners[red, green, blue]
                raise InputError(f"datasets.{name}: {first!r} and {label!r} have the same colour, {(red, green, blue)}")
            yield Label(len(owners), label, colour=(red, green, blue))
            owners[red, green, blue] = label
