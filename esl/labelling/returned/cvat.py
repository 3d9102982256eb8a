"""CVAT's "Segmentation mask 1.1": the layout of Pascal VOC's segmentation, with a map of colours (labelmap.txt).

docs.cvat.ai/docs/manual/advanced/formats/format-smask says what is where. Classes are known by their names in the map.
"""

from collections import defaultdict
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet, Label
from esl.data.formats.base import nfc
from esl.data.id_labels import decode_lossless
from esl.errors import InputError, suggestion
from esl.labelling.contents import LabelSet
from esl.labelling.returned.base import Annotated, Files, set_named

BACKGROUND = "background"
"""CVAT's label of pixels that have none; it is black."""

MASKS, SUBSETS, MAP = "SegmentationClass", "Segmentation", "labelmap.txt"

Colours = dict[int, tuple[str, int | None]]
"""Colour as 0xRRGGBB -> the label's name and trainId; ``None``: not a class of the class set."""


def annotated(files: Files, class_set: ClassSet) -> list[Annotated]:
    """Every mask, with the set that its subset names.

    Raises:
        InputError: there is no map of colours, or a line of it is damaged.
    """
    maps = [name for name in files.names if PurePosixPath(name).name == MAP]
    if not maps:
        raise InputError(f"{files.path}: no {MAP} in it; export it from CVAT as Segmentation mask 1.1")
    colours = _colours(files, maps[0], class_set)
    sets = _sets(files)
    return [
        Annotated(stem, set_, files.where(name), partial(_read, files, name, colours, class_set))
        for name, below in files.inside(MASKS)
        if below.lower().endswith(".png")
        for stem in [below.rpartition(".")[0]]
        for set_ in sets.get(nfc(stem), [None])
    ]


def _sets(files: Files) -> dict[str, list[LabelSet | None]]:
    """The sets of each image, from the lists of the subsets; one that two lists name has two, which is a mistake."""
    sets: defaultdict[str, list[LabelSet | None]] = defaultdict(list)
    for name, below in files.inside(SUBSETS):
        lines = files.text(name).splitlines() if below.endswith(".txt") else []
        for line in dict.fromkeys(nfc(line.strip()) for line in lines):
            sets[line].append(set_named(PurePosixPath(below).stem))
    return sets


def _colours(files: Files, name: str, class_set: ClassSet) -> Colours:
    colours: Colours = {0: (BACKGROUND, IGNORE)}
    for number, line in enumerate(files.text(name).splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        label, _, rest = line.partition(":")
        try:
            red, green, blue = (int(part) for part in rest.partition(":")[0].split(","))
        except ValueError:
            raise InputError(f"{files.where(name)}: line {number}: expected name:red,green,blue::") from None
        if label != BACKGROUND:
            colours[red << 16 | green << 8 | blue] = label, train_id_of(label, class_set)
    return colours


def train_id_of(label: str, class_set: ClassSet) -> int | None:
    """The trainId of a class by its name, or by that of a label in it; ``None``: there is none."""
    if label in class_set.classes:
        return class_set.classes.index(label)
    train_id = class_set.train_id(Label(0, label))
    return None if train_id == IGNORE else train_id


def _read(files: Files, name: str, colours: Colours, class_set: ClassSet) -> NDArray[np.uint8]:
    where = files.where(name)
    pixels = np.asarray(decode_lossless(Path(where), files.read(name)).convert("RGB")).astype(np.int32)
    codes, places = np.unique(pixels @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32), return_inverse=True)
    train_ids = []
    for code in codes.tolist():
        if code not in colours:
            raise InputError(f"{where}: the colour {code >> 16, code >> 8 & 255, code & 255} is not in {MAP}")
        label, train_id = colours[code]
        if train_id is None:
            raise InputError(unknown_class(where, label, class_set))
        train_ids.append(train_id)
    return np.array(train_ids, dtype=np.uint8)[places].reshape(pixels.shape[:2])


def unknown_class(where: str, label: str, class_set: ClassSet) -> str:
    """A line about pixels of a class that the models do not know."""
    return f"{where}: pixels of {label!r}, which is no class of {class_set.name}{suggestion(label, class_set.classes)}"
