"""Class sets, their palette, and the raw-id tables of the label files of the field.

Cityscapes label ids, names, trainIds and colours are those of cityscapesscripts
(``cityscapesscripts/helpers/labels.py``); GTA5 uses the same ids and adds 34 for licence plates.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IGNORE = 255
"""The ignore index: a pixel of this trainId takes part in no loss, threshold or score."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Label:
    """One kind of pixel in a label file: ``train_id`` is ``IGNORE`` where no class set wants it."""

    id: int
    name: str
    train_id: int
    colour: Colour


CITYSCAPES_LABELS = (
    Label(0, "unlabeled", IGNORE, (0, 0, 0)),
    Label(1, "ego vehicle", IGNORE, (0, 0, 0)),
    Label(2, "rectification border", IGNORE, (0, 0, 0)),
    Label(3, "out of roi", IGNORE, (0, 0, 0)),
    Label(4, "static", IGNORE, (0, 0, 0)),
    Label(5, "dynamic", IGNORE, (111, 74, 0)),
    Label(6, "ground", IGNORE, (81, 0, 81)),
    Label(7, "road", 0, (128, 64, 128)),
    Label(8, "sidewalk", 1, (244, 35, 232)),
    Label(9, "parking", IGNORE, (250, 170, 160)),
    Label(10, "rail track", IGNORE, (230, 150, 140)),
    Label(11, "building", 2, (70, 70, 70)),
    Label(12, "wall", 3, (102, 102, 156)),
    Label(13, "fence", 4, (190, 153, 153)),
    Label(14, "guard rail", IGNORE, (180, 165, 180)),
    Label(15, "bridge", IGNORE, (150, 100, 100)),
    Label(16, "tunnel", IGNORE, (150, 120, 90)),
    Label(17, "pole", 5, (153, 153, 153)),
    Label(18, "polegroup", IGNORE, (153, 153, 153)),
    Label(19, "traffic light", 6, (250, 170, 30)),
    Label(20, "traffic sign", 7, (220, 220, 0)),
    Label(21, "vegetation", 8, (107, 142, 35)),
    Label(22, "terrain", 9, (152, 251, 152)),
    Label(23, "sky", 10, (70, 130, 180)),
    Label(24, "person", 11, (220, 20, 60)),
    Label(25, "rider", 12, (255, 0, 0)),
    Label(26, "car", 13, (0, 0, 142)),
    Label(27, "truck", 14, (0, 0, 70)),
    Label(28, "bus", 15, (0, 60, 100)),
    Label(29, "caravan", IGNORE, (0, 0, 90)),
    Label(30, "trailer", IGNORE, (0, 0, 110)),
    Label(31, "train", 16, (0, 80, 100)),
    Label(32, "motorcycle", 17, (0, 0, 230)),
    Label(33, "bicycle", 18, (119, 11, 32)),
)

GTA5_LABELS = (*CITYSCAPES_LABELS, Label(34, "license plate", IGNORE, (0, 0, 142)))


@dataclass(frozen=True)
class ClassSet:
    """The classes that a model tells apart, in the order of their trainIds (0, 1, ...)."""

    name: str
    classes: tuple[str, ...]
    colours: tuple[Colour, ...]

    def __len__(self) -> int:
        return len(self.classes)

    def palette(self) -> list[int]:
        """The 256 * 3 palette of an indexed PNG of trainIds; ``IGNORE`` and unused indices are black.

        >>> CLASS_SETS["cityscapes19"].palette()[:3]
        [128, 64, 128]
        """
        flat = [channel for colour in self.colours for channel in colour]
        return flat + [0] * (3 * 256 - len(flat))


def _class_set(name: str, labels: tuple[Label, ...]) -> ClassSet:
    chosen = sorted((label for label in labels if label.train_id != IGNORE), key=lambda label: label.train_id)
    return ClassSet(name, tuple(label.name for label in chosen), tuple(label.colour for label in chosen))


CLASS_SETS = {"cityscapes19": _class_set("cityscapes19", CITYSCAPES_LABELS)}


@dataclass(frozen=True)
class IdTable:
    """How the raw ids of a label file become trainIds: look-up tables over all 256 byte values.

    ``train_ids`` (256,) uint8 holds the trainId or ``IGNORE``; ``known`` (256,) bool tells which ids the
    format defines at all. An id that is not known is a defect of the file, never silently ignored.
    """

    train_ids: NDArray[np.uint8]
    known: NDArray[np.bool_]


def id_table(labels: tuple[Label, ...], class_set: ClassSet) -> IdTable:
    """The look-up tables of a format's ``labels`` for ``class_set``, matched by class name.

    >>> table = id_table(CITYSCAPES_LABELS, CLASS_SETS["cityscapes19"])
    >>> int(table.train_ids[26]), int(table.train_ids[4]), bool(table.known[34])
    (13, 255, False)
    """
    train_ids = np.full(256, IGNORE, dtype=np.uint8)
    known = np.zeros(256, dtype=np.bool_)
    for label in labels:
        known[label.id] = True
        if label.name in class_set.classes:
            train_ids[label.id] = class_set.classes.index(label.name)
    return IdTable(train_ids, known)
