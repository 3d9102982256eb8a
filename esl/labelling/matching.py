"""Finds the image of the target that each label is of: by path, else by id, else by the end of its path."""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from esl.data.formats.base import nfc
from esl.data.index import Index, IndexedSample
from esl.errors import Problem
from esl.labelling.annotated import AnnotatedImage, without_ending
from esl.labelling.contents import LabelSet

SPLITS: Mapping[LabelSet, str] = {"measure": "target.val_split", "train": "target.train_split"}
"""The config key of the images that each set is drawn from."""

SHOWN = 3
"""The most images that a message lists."""

MOST_SUGGESTED = 2000
"""Near names are looked for among this many images at most: each name takes a millisecond for a hundred."""


class Match(NamedTuple):
    """A label, and the image of the target that it is of."""

    set: LabelSet
    sample: IndexedSample
    annotated: AnnotatedImage


class _Lookup:
    """The images of an index by their paths without endings, by their ids, and by the ends of both."""

    def __init__(self, index: Index) -> None:
        self._paths: dict[str, list[IndexedSample]] = {}
        self._ids: dict[str, list[IndexedSample]] = {}
        self._ends: dict[str, list[IndexedSample]] = {}
        for sample in index.samples:
            path = nfc(without_ending(sample.image))
            self._paths.setdefault(path, []).append(sample)
            self._ids.setdefault(nfc(sample.id), []).append(sample)
            for end in _ends(path):
                self._ends.setdefault(end, []).append(sample)

    def candidates(self, name: str) -> list[IndexedSample]:
        """The images that a label of this name may be of.

        A tool drops leading folders, so that the name is the end of a path; or adds some, so that a path or an id is
        the end of the name. The longest such end counts.
        """
        name = nfc(name)
        for table in (self._paths, self._ids, self._ends):
            if name in table:
                return table[name]
        for end in _ends(name):
            if found := self._paths.get(end) or self._ids.get(end):
                return found
        return []

    def near(self, name: str) -> str:
        """The end of a message about a name without a candidate."""
        near = get_close_matches(nfc(name), self._paths, n=1) if len(self._paths) <= MOST_SUGGESTED else []
        return f"did you mean {near[0]!r}?" if near else "name it as the image, from the root of the target"


def _ends(path: str) -> list[str]:
    """The ends of a path by whole parts, shorter than itself, the longest first.

    >>> _ends("a/b/c")
    ['b/c', 'c']
    """
    parts = path.split("/")
    return ["/".join(parts[start:]) for start in range(1, len(parts))]


def match(
    images: Sequence[tuple[LabelSet, AnnotatedImage]], indices: Mapping[LabelSet, Index]
) -> tuple[list[Match], list[Problem]]:
    """The image of the index of its set for each label, and a line for each label without a single one.

    No digest in the indices is read.
    """
    lookups = {set_: _Lookup(index) for set_, index in indices.items()}
    matches: list[Match] = []
    problems: list[Problem] = []
    for set_, annotated in images:
        found = lookups[set_].candidates(annotated.name)
        if len(found) == 1:
            matches.append(Match(set_, found[0], annotated))
        else:
            problems.append(Problem((annotated.file,), _reason(set_, annotated.name, found, lookups)))
    return matches, problems


def _reason(set_: LabelSet, name: str, found: Sequence[IndexedSample], lookups: Mapping[LabelSet, _Lookup]) -> str:
    """Why a name has no single image."""
    if found:
        paths = ", ".join(sample.image for sample in found[:SHOWN]) + (", ..." if len(found) > SHOWN else "")
        return f"may be of {len(found)} images, {paths}; give it the whole path of one, from the root of the target"
    other: LabelSet = "train" if set_ == "measure" else "measure"
    if lookups[other].candidates(name):
        return f"is for `{set_}`, whose images are those of {SPLITS[set_]}, but its image is one of {SPLITS[other]}"
    return f"no image {name!r} in {SPLITS[set_]}; {lookups[set_].near(name)}"


def conflicts(matches: Sequence[Match]) -> list[Problem]:
    """A line for each second label of an image, and for each image that is in both sets, by the digest of its file."""
    problems = []
    by_id: dict[str, Match] = {}
    by_digest: dict[tuple[LabelSet, str], Match] = {}
    for each in matches:
        other: LabelSet = "train" if each.set == "measure" else "measure"
        twin = by_digest.get((other, each.sample.image_sha256))
        first = by_id.setdefault(each.sample.id, each)
        by_digest.setdefault((each.set, each.sample.image_sha256), each)
        if twin is not None:
            copy = "" if twin.sample.image == each.sample.image else f", whose copy is {each.sample.image}"
            text = f"the image {twin.sample.image}{copy} is in both sets, measure and train; keep one of the labels"
            problems.append(Problem(_files(twin, each), text))
        elif first is not each:
            text = f"two labels of one image, {each.sample.image}; remove one of them"
            if first.sample.image != each.sample.image:
                text = f"two images with one id, {each.sample.id!r}, one in each set; rename the image of one of them"
            problems.append(Problem(_files(first, each), text))
    return problems


def _files(*matches: Match) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.annotated.file for each in matches))
