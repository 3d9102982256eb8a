"""A sample of a data set, and what a format on disk must say of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from esl.classes import ClassSet, IdTable, Label, id_table


@dataclass(frozen=True)
class Sample:
    """One picture and its label file; either is ``None`` where the file is missing. ``id`` names files of results."""

    id: str
    picture: Path | None
    label: Path | None


@dataclass(frozen=True)
class Format:
    """The layout of a data set on disk.

    ``find(root, split)`` lists every sample under ``root``, sorted by id, half pairs included; ``layout`` tells a user
    where files are expected, with ``{split}`` to be filled in.
    """

    name: str
    labels: tuple[Label, ...]
    layout: str
    find: Callable[[Path, str], list[Sample]]
    first_of_16_bits: bool = False  # see IdTable

    def table(self, class_set: ClassSet) -> IdTable:
        """How the raw ids of this format become trainIds of ``class_set``."""
        return id_table(self.labels, class_set, first_of_16_bits=self.first_of_16_bits)


def pair_up(pictures: dict[str, Path], labels: dict[str, Path]) -> list[Sample]:
    """The samples of two tables id -> file, sorted by id; a missing half is ``None``."""
    return [Sample(id_, pictures.get(id_), labels.get(id_)) for id_ in sorted(pictures.keys() | labels.keys())]
