"""Class sets, their palette, and the raw-id tables of the label files of the field.

Cityscapes label ids, names, trainIds and colours are those of cityscapesscripts
(``cityscapesscripts/helpers/labels.py``); GTA5 uses the same ids and adds 34 for licence plates; SYNTHIA has its own.
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


_SYNTHIA_NAMES = (
    "void", "sky", "building", "road", "sidewalk", "fence", "vegetation", "pole", "car", "traffic sign", "person",
    "bicycle", "motorcycle", "parking slot", "road work", "traffic light", "terrain", "rider", "truck", "bus", "train",
    "wall", "lane marking",
)  # fmt: skip
_BY_NAME = {label.name: label for label in CITYSCAPES_LABELS}
SYNTHIA_LABELS = tuple(
    Label(id_, name, _BY_NAME[name].train_id if name in _BY_NAME else IGNORE, (0, 0, 0))
    for id_, name in enumerate(_SYNTHIA_NAMES)
)
"""The 23 ids of SYNTHIA-RAND-CITYSCAPES (its README), by the names that Cityscapes has for them."""


@dataclass(frozen=True)
class ClassSet:
    """The classes that a model tells apart, in the order of their trainIds (0, 1, ...)."""

    name: str
    classes: tuple[str, ...]
    colours: tuple[Colour, ...]
    members: tuple[tuple[str, ...], ...]  # the names of the labels that make up each class
    beside: tuple[str, ...] = ()  # class sets, of some of these classes, whose mean IoU is told beside its own

    def __len__(self) -> int:
        return len(self.classes)

    def palette(self) -> list[int]:
        """The 256 * 3 palette of an indexed PNG of trainIds; ``IGNORE`` and unused indices are black.

        >>> CLASS_SETS["cityscapes19"].palette()[:3]
        [128, 64, 128]
        """
        flat = [channel for colour in self.colours for channel in colour]
        return flat + [0] * (3 * 256 - len(flat))


def _of_cityscapes(name: str, *, without: tuple[str, ...] = (), beside: tuple[str, ...] = ()) -> ClassSet:
    """The evaluated classes of Cityscapes in the order of their trainIds, but for some."""
    evaluated = sorted((label for label in CITYSCAPES_LABELS if label.train_id != IGNORE), key=lambda x: x.train_id)
    chosen = [label for label in evaluated if label.name not in without]
    names = tuple(label.name for label in chosen)
    return ClassSet(name, names, tuple(label.colour for label in chosen), tuple((name,) for name in names), beside)


_NOT_IN_SYNTHIA = ("terrain", "truck", "train")
_CATEGORIES = {
    "flat": ("road", "sidewalk"),
    "construction": ("building", "wall", "fence"),
    "object": ("pole", "traffic light", "traffic sign"),
    "nature": ("vegetation", "terrain"),
    "sky": ("sky",),
    "human": ("person", "rider"),
    "vehicle": ("car", "truck", "bus", "train", "motorcycle", "bicycle"),
}

CLASS_SETS = {
    class_set.name: class_set
    for class_set in (
        _of_cityscapes("cityscapes19"),
        # the 16 classes that SYNTHIA shares with Cityscapes, and the 13 of them behind the literature's mIoU*
        _of_cityscapes("synthia16", without=_NOT_IN_SYNTHIA, beside=("synthia13",)),
        _of_cityscapes("synthia13", without=(*_NOT_IN_SYNTHIA, "wall", "fence", "pole")),
        # the categories of Cityscapes (its label definitions), in which ESL adapts to Mapillary Vistas
        ClassSet(
            "vistas7",
            tuple(_CATEGORIES),
            tuple(_BY_NAME[members[0]].colour for members in _CATEGORIES.values()),
            tuple(_CATEGORIES.values()),
        ),
    )
}


@dataclass(frozen=True)
class IdTable:
    """How the raw ids of a label file become trainIds: look-up tables over all 256 byte values.

    ``train_ids`` (256,) uint8 holds the trainId or ``IGNORE``; ``known`` (256,) bool tells which ids the
    format defines at all. An id that is not known is a defect of the file, never silently ignored.
    """

    train_ids: NDArray[np.uint8]
    known: NDArray[np.bool_]
    first_of_16_bits: bool = False
    """Whether a file may also be a PNG of three 16-bit channels, of which the first holds the ids, as SYNTHIA's are."""


def id_table(labels: tuple[Label, ...], class_set: ClassSet, *, first_of_16_bits: bool = False) -> IdTable:
    """The look-up tables of a format's ``labels`` for ``class_set``, matched by the names of the labels.

    >>> table = id_table(CITYSCAPES_LABELS, CLASS_SETS["cityscapes19"])
    >>> int(table.train_ids[26]), int(table.train_ids[4]), bool(table.known[34])
    (13, 255, False)
    """
    train_ids = np.full(256, IGNORE, dtype=np.uint8)
    known = np.zeros(256, dtype=np.bool_)
    for label in labels:
        known[label.id] = True
        for train_id, members in enumerate(class_set.members):
            if label.name in members:
                train_ids[label.id] = train_id
    return IdTable(train_ids, known, first_of_16_bits)
