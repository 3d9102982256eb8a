"""Finds the target images that returned labels belong to, and every mistake before one is used."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from esl.data.formats.base import nfc
from esl.data.formats.paths import IMAGE_SUFFIXES
from esl.data.index import Index, IndexedSample
from esl.errors import Problem
from esl.labelling.contents import LabelSet
from esl.labelling.returned.base import Annotated

SPLITS: Mapping[LabelSet, str] = {"measure": "target.val_split", "train": "target.train_split"}
"""The config key of the images that each set is of."""


@dataclass(frozen=True)
class Match:
    """A returned label with its image."""

    annotated: Annotated
    set: LabelSet
    sample: IndexedSample


class Names:
    """The images of an index by each of their names: path from the root without ending, id, and ends of the path."""

    def __init__(self, index: Index) -> None:
        self._exact: defaultdict[str, list[IndexedSample]] = defaultdict(list)
        self._ends: defaultdict[str, list[IndexedSample]] = defaultdict(list)
        for sample in index.samples:
            stem = nfc(without_ending(sample.image))
            for name in {stem, nfc(sample.id)}:
                self._exact[name].append(sample)
            parts = PurePosixPath(stem).parts
            for start in range(1, len(parts)):
                self._ends["/".join(parts[start:])].append(sample)

    def find(self, name: str) -> list[IndexedSample]:
        """The images that ``name`` may mean: exactly, or as an end of their path, or with further folders before it."""
        wanted = nfc(without_ending(name))
        parts = PurePosixPath(wanted).parts
        ends = ["/".join(parts[start:]) for start in range(len(parts))]
        for found in (self._exact.get(wanted), self._ends.get(wanted), *(self._exact.get(end) for end in ends[1:])):
            if found:
                return found
        return []


def without_ending(name: str) -> str:
    """A path without the ending of an image; other endings are part of a name.

    >>> without_ending("a b/1.5.png"), without_ending("a b/1.5")
    ('a b/1.5', 'a b/1.5')
    """
    path = PurePosixPath(name)
    return str(path.with_suffix("")) if path.suffix.lower() in IMAGE_SUFFIXES else str(path)


def match(
    labels: Sequence[tuple[Annotated, LabelSet]], indices: Mapping[LabelSet, Index]
) -> tuple[list[Match], list[Problem]]:
    """The image of each label, among those of its set's split; and a problem for each that has none, or several.

    No digest of the indices is read.
    """
    names = {set_: Names(index) for set_, index in indices.items()}
    matches, problems = [], []
    for annotated, set_ in labels:
        found = names[set_].find(annotated.name)
        if len(found) == 1:
            matches.append(Match(annotated, set_, found[0]))
        elif found:
            several = ", ".join(sample.image for sample in found[:3])
            problems.append(
                Problem((annotated.where,), f"the label of several images ({several}); give their paths in full")
            )
        else:
            index = indices[set_]
            problems.append(
                Problem(
                    (annotated.where,),
                    f"no image {annotated.name!r} in {SPLITS[set_]} ({index.root}, {index.split!r}), which has the "
                    f"images of the set {set_!r}; keep the names of the images",
                )
            )
    return matches, problems


def shared(matches: Sequence[Match]) -> Iterator[Problem]:
    """Images with two labels: under one name, or as a copy under another; in one set, or in both."""
    by_content: dict[str, Match] = {}
    by_id: dict[str, Match] = {}
    for each in matches:
        sample = each.sample
        other = by_content.setdefault(sample.image_sha256, each)
        if other is each:
            other = by_id.setdefault(sample.id, each)
        if other is each:
            continue
        same = "the same image" if other.sample.image_sha256 == sample.image_sha256 else "an image of the same id"
        why = "" if other.set == each.set else ", for the other set; scores on images that are trained on are worthless"
        yield Problem(
            (each.annotated.where,),
            f"{same} as of {other.annotated.where} ({other.sample.image}, {sample.image}){why}; remove one of them",
        )
