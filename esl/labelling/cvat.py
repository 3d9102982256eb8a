"""Reads CVAT's "Segmentation mask 1.1"; ``masks.py`` has its layout.

A task's or project's subset is the name of
a list in ImageSets/Segmentation; black is the background, where nothing is labelled.
"""

import re
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import PurePosixPath

import numpy as np

from esl.classes import IGNORE, ClassSet, Colour
from esl.data.formats.base import nfc
from esl.data.id_labels import ids_of_colours
from esl.errors import InputError, printable
from esl.labelling.annotated import AnnotatedImage, ReadLabel, named_set, train_id_of
from esl.labelling.contents import LabelSet
from esl.labelling.masks import BACKGROUND, LABEL_MAP, LISTS, MASKS
from esl.labelling.tree import Tree

_ROW = re.compile(r"([^:]+):(\d{1,3}),(\d{1,3}),(\d{1,3})(:.*)?")

LabelMap = dict[Colour, str]
"""The name of the label of each colour."""


def annotated_images(tree: Tree) -> list[AnnotatedImage]:
    """Every image with a mask; one that two lists name, of which each is a set, is there twice.

    Raises:
        InputError: the map of colours or a list is missing or damaged.
    """
    root = _root(tree)
    label_map = _label_map(tree, root + LABEL_MAP)
    sets = _sets(tree, root + LISTS)
    masks = [name for name in tree.names if name.startswith(root + MASKS) and name.lower().endswith(".png")]
    return [*_with_sets(tree, root + MASKS, masks, label_map, sets)]


def _root(tree: Tree) -> str:
    """The folder of the map of colours, with a `/` at its end; empty for the top."""
    maps = [name for name in tree.names if PurePosixPath(name).name == LABEL_MAP]
    if len(maps) != 1:
        found = f"{len(maps)} files {LABEL_MAP}" if maps else f"no {LABEL_MAP}, which names the colours of its masks"
        raise InputError(f"{tree.path}: {found}; expected one export of CVAT's, `Segmentation mask 1.1`")
    return maps[0].removesuffix(LABEL_MAP)


def _with_sets(
    tree: Tree, folder: str, masks: list[str], label_map: LabelMap, sets: dict[str, list[LabelSet]]
) -> Iterator[AnnotatedImage]:
    for mask in masks:
        name = mask.removeprefix(folder)[: -len(".png")]
        listed: Sequence[LabelSet | None] = sets.get(nfc(name)) or [None]
        for set_ in listed:
            yield AnnotatedImage(name, set_, str(tree.path / printable(mask)), partial(_read, tree, mask, label_map))


def _sets(tree: Tree, folder: str) -> dict[str, list[LabelSet]]:
    """The sets whose lists name an image."""
    sets: dict[str, list[LabelSet]] = {}
    for path in tree.names:
        subset = path.removeprefix(folder).removesuffix(".txt")
        if path == f"{folder}{subset}.txt" and (set_ := named_set(subset)):
            for name in dict.fromkeys(_lines(tree, path)):
                sets.setdefault(nfc(name), []).append(set_)
    return sets


def _label_map(tree: Tree, path: str) -> LabelMap:
    """The colours of a labelmap.txt."""
    label_map: LabelMap = {(0, 0, 0): BACKGROUND}
    taken: dict[Colour, str] = {}
    for line in _lines(tree, path):
        if line.startswith("#"):
            continue
        row = _ROW.fullmatch(line)
        red, green, blue = map(int, row.group(2, 3, 4)) if row else (256, 0, 0)
        if row is None or max(red, green, blue) > 255:
            raise InputError(f"{tree.path / path}: {line!r}: expected NAME:RED,GREEN,BLUE::; export it again")
        name, colour = row[1].strip(), (red, green, blue)
        if taken.setdefault(colour, name) != name:
            raise InputError(
                f"{tree.path / path}: {name!r} and {taken[colour]!r} have one colour, {colour}; "
                "give one of them another in the tool, and export the labels again"
            )
        label_map[colour] = name
    if len(label_map) > IGNORE:
        raise InputError(f"{tree.path / path}: {len(label_map)} labels, but at most {IGNORE} are read")
    return label_map


def _lines(tree: Tree, path: str) -> list[str]:
    """The lines of a text file that are not empty."""
    try:
        text = tree.read(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{tree.path / printable(path)}: not a text in UTF-8; export the labels again") from None
    return [line for line in map(str.strip, text.splitlines()) if line]


def _read(tree: Tree, mask: str, label_map: LabelMap, class_set: ClassSet) -> ReadLabel:
    names = [*label_map.values()]
    path = tree.path / printable(mask)
    numbers = {colour: number for number, colour in enumerate(label_map)}
    ids = ids_of_colours(
        path,
        tree.read(mask),
        numbers,
        for_ids="export the labels again as `Segmentation mask 1.1`",
        for_others=f"{LABEL_MAP} has none of this colour: export the labels again",
    )
    train_ids = [train_id_of(name, class_set) for name in names]
    present = np.bincount(ids.ravel(), minlength=len(names)) > 0
    unknown = frozenset(name for name, id_, here in zip(names, train_ids, present, strict=True) if here and id_ is None)
    table = np.array([IGNORE if id_ is None else id_ for id_ in train_ids], dtype=np.uint8)
    return ReadLabel(table[ids], unknown)
