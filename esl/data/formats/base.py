"""The contract of a format: the layout of a dataset on disk. ``folder.py`` is the example to copy."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from unicodedata import normalize

from esl.classes import Encoding, Label
from esl.data.images import DEPTH
from esl.errors import InputError, Problem, printable
from esl.files import is_text


@dataclass(frozen=True)
class Sample:
    """One image and its label file; either is ``None`` if the file is missing. ``id`` names files of results."""

    id: str
    image: Path | None
    label: Path | None


@dataclass(frozen=True)
class LabelFiles:
    """One kind of label file: the pattern of its paths under the root, and the meaning of its pixels."""

    pattern: str
    labels: tuple[Label, ...]
    encoding: Encoding = "ids"


@dataclass(frozen=True)
class Listing:
    """The samples of a format under a root."""

    samples: list[Sample]
    """Sorted by id; a missing half of a pair is ``None``."""
    label_files: LabelFiles | None
    """How to read the labels; ``None`` for a dataset without labels."""
    defects: list[Problem]
    """Defects in file names; no file has been opened."""
    tables: tuple[Path, ...] = ()
    """Other input files of the listing: lists of splits, tables of labels."""
    patterns: tuple[str, ...] = ()
    """The patterns of images and labels, for notes on files that nearly match."""
    bits: int = DEPTH
    """The bits of the values in 16-bit images."""


class Format(Protocol):
    """The layout of a dataset on disk."""

    @property
    def title(self) -> str:
        """Its name in reports."""

    def layout(self, split: str) -> str:
        """The expected paths of files of ``split``, as text for messages."""

    def splits(self, root: Path) -> list[str]:
        """The splits with an image under ``root``, sorted."""

    def listing(self, root: Path, split: str) -> Listing:
        """Every sample of ``split`` under ``root``.

        Raises:
            InputError: a list of a split or a table of labels is missing or damaged.
        """


def require_root(root: Path, key: str) -> Path:
    """``root`` itself if it is a folder with a name in UTF-8; otherwise InputError names the ``key`` to correct."""
    if not is_text(str(root)):
        raise InputError(f"{printable(str(root))}: the name of {key} is not in UTF-8; rename the folder")
    if not root.is_dir():
        raise InputError(
            f"{root}: no such folder; {key} must be the folder of the dataset: download it, or correct the path"
        )
    return root


def nfc(name: str) -> str:
    """``name`` in one Unicode form (NFC), for comparisons: macOS writes an accent as a letter of its own (NFD)."""
    return normalize("NFC", name)


def pair_up(
    images: Iterable[tuple[str, Path]], labels: Iterable[tuple[str, Path]]
) -> tuple[list[Sample], list[Problem]]:
    """The samples of two lists of ids and files, sorted by id; and the defects: ids in one list twice.

    Ids are compared in one Unicode form: see ``nfc``.

    >>> str(pair_up([("a", Path("x/a.png")), ("a", Path("y/a.png"))], [])[1][0])
    "y/a.png: the same id 'a' as x/a.png; results are named by ids: rename one of the two, or remove it"
    """
    tables: list[dict[str, tuple[str, Path]]] = []
    defects = []
    for files in (images, labels):
        table: dict[str, tuple[str, Path]] = {}
        for id_, path in sorted(files, key=lambda file: file[1]):
            first, other = table.setdefault(nfc(id_), (id_, path))
            if other is not path:
                defects.append(
                    Problem(
                        (str(path),),
                        f"the same id {id_!r} as {other}{'' if id_ == first else ' (in another Unicode form)'}; "
                        "results are named by ids: rename one of the two, or remove it",
                    )
                )
        tables.append(table)
    samples = []
    for key in tables[0].keys() | tables[1].keys():
        image, label = (table.get(key) for table in tables)
        id_ = (image or label or (key,))[0]
        samples.append(Sample(id_, image and image[1], label and label[1]))
    return sorted(samples, key=lambda sample: sample.id), defects
