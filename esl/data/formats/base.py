"""A sample of a data set, and what a format on disk must say of itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from esl.classes import Encoding, Label


@dataclass(frozen=True)
class Sample:
    """One picture and its label file; either is ``None`` where the file is missing. ``id`` names files of results."""

    id: str
    picture: Path | None
    label: Path | None


@dataclass(frozen=True)
class LabelFiles:
    """One kind of label file: where such files lie under the root, and what their pixels mean."""

    pattern: str
    labels: tuple[Label, ...]
    encoding: Encoding = "ids"


@dataclass(frozen=True)
class Listing:
    """What a format finds under a root: samples sorted by id, half pairs included, and how their labels read.

    ``defects`` are those that file names alone show, each a line for the user; ``label_files`` is ``None`` for a data
    set that has no labels at all.
    """

    samples: list[Sample]
    label_files: LabelFiles | None
    defects: list[str]


class Format(Protocol):
    """The layout of a data set on disk."""

    @property
    def title(self) -> str:
        """What it is, for people."""

    def layout(self, split: str) -> str:
        """Where files of ``split`` are expected, for people."""

    def splits(self, root: Path) -> list[str]:
        """The splits that have a picture under ``root``, sorted."""

    def listing(self, root: Path, split: str) -> Listing:
        """Every sample of ``split`` under ``root``.

        Raises:
            InputError: a file that tells what lies where (a list of a split, a table of labels) is missing or damaged.
        """


def pair_up(pictures: Iterable[tuple[str, Path]], labels: Iterable[tuple[str, Path]]) -> tuple[list[Sample], list[str]]:
    """The samples of two lists of ids and files, sorted by id, a missing half being ``None``; and ids that occur twice.

    >>> pair_up([("a", Path("x/a.png")), ("a", Path("y/a.png"))], [])[1]
    ["y/a.png: the same id 'a' as x/a.png; results are named by ids: rename one of the two, or take it away"]
    """
    tables: list[dict[str, Path]] = []
    defects = []
    for files in (pictures, labels):
        table: dict[str, Path] = {}
        for id_, path in sorted(files, key=lambda file: file[1]):
            if id_ in table:
                defects.append(
                    f"{path}: the same id {id_!r} as {table[id_]}; "
                    "results are named by ids: rename one of the two, or take it away"
                )
            else:
                table[id_] = path
        tables.append(table)
    ids = sorted(tables[0].keys() | tables[1].keys())
    return [Sample(id_, tables[0].get(id_), tables[1].get(id_)) for id_ in ids], defects
