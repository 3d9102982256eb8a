"""Class sets, their palette, and the raw-id tables of the label files of the field.

Cityscapes label ids, names, trainIds and colours are those of cityscapesscripts
(``cityscapesscripts/helpers/labels.py``); GTA5 uses the same ids and adds 34 for licence plates; SYNTHIA has its own.
Tables meet class sets by the names of labels: every format calls its labels as Cityscapes does where it can.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from esl.errors import InputError

IGNORE = 255
"""The ignore index: a pixel of this trainId takes part in no loss, threshold or score."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Label:
    """One kind of pixel in a label file; ``train_id`` is Cityscapes' own, ``IGNORE`` where it has none."""

    id: int
    name: str
    train_id: int = IGNORE
    colour: Colour = (0, 0, 0)
    also: tuple[str, ...] = ()
    """Coarser names that a class set may know it by, tried in this order where it does not know ``name``."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name and the coarser ones."""
        return self.name, *self.also


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
_SPARE_COLOURS: tuple[Colour, ...] = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75), (227, 119, 194),
    (127, 127, 127), (188, 189, 34), (23, 190, 207), (174, 199, 232), (255, 187, 120), (152, 223, 138),
    (255, 152, 150), (197, 176, 213), (196, 156, 148), (247, 182, 210), (199, 199, 199), (219, 219, 141),
    (158, 218, 229),
)  # fmt: skip
_BY_NAME = {label.name: label for label in CITYSCAPES_LABELS}
SYNTHIA_LABELS = tuple(
    Label(id_, name, _BY_NAME[name].train_id if name in _BY_NAME else IGNORE) for id_, name in enumerate(_SYNTHIA_NAMES)
)
"""The 23 ids of SYNTHIA-RAND-CITYSCAPES (its README), by the names that Cityscapes has for them."""

TRAIN_ID_LABELS = (
    *sorted(
        (
            Label(label.train_id, label.name, label.train_id, label.colour)
            for label in CITYSCAPES_LABELS
            if label.train_id != IGNORE
        ),
        key=lambda label: label.id,
    ),
    Label(IGNORE, "unlabeled"),
)
"""The ids of label files that hold Cityscapes' trainIds, as its ``labelTrainIds``, ACDC's and BDD100K's do."""

LABEL_TABLES = {
    "cityscapes": CITYSCAPES_LABELS,
    "cityscapes_train_ids": TRAIN_ID_LABELS,
    "gta5": GTA5_LABELS,
    "synthia": SYNTHIA_LABELS,
}
"""The tables that a declared data set can name."""


@dataclass(frozen=True)
class ClassSet:
    """The classes that a model tells apart, in the order of their trainIds (0, 1, ...)."""

    name: str
    classes: tuple[str, ...]
    colours: tuple[Colour, ...]
    members: tuple[tuple[str, ...], ...]  # the names of the labels that make up each class
    beside: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Class sets, of some of these classes, whose mean IoU is told beside its own."""

    def __len__(self) -> int:
        return len(self.classes)

    def palette(self) -> list[int]:
        """The 256 * 3 palette of an indexed PNG of trainIds; ``IGNORE`` and unused indices are black.

        >>> CLASS_SETS["cityscapes19"].palette()[:3]
        [128, 64, 128]
        """
        flat = [channel for colour in self.colours for channel in colour]
        return flat + [0] * (3 * 256 - len(flat))

    def train_id(self, label: Label) -> int:
        """The trainId of the class that ``label`` is part of, by the first of its names that any class knows."""
        for name in label.names:
            for train_id, members in enumerate(self.members):
                if name in members:
                    return train_id
        return IGNORE

    def to_json(self) -> dict[str, Any]:
        """As plain JSON; ``from_json`` reads it back."""
        rows = zip(self.classes, self.colours, self.members, strict=True)
        classes = {name: {"colour": [*colour], "labels": [*members]} for name, colour, members in rows}
        return {"name": self.name, "classes": classes, "beside": {name: [*some] for name, some in self.beside.items()}}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ClassSet":
        """The class set of ``to_json``."""
        rows = content["classes"].values()
        return cls(
            content["name"],
            tuple(content["classes"]),
            tuple((row["colour"][0], row["colour"][1], row["colour"][2]) for row in rows),
            tuple(tuple(row["labels"]) for row in rows),
            {name: tuple(some) for name, some in content["beside"].items()},
        )


def _of_cityscapes(name: str, *, without: Sequence[str] = (), beside: Sequence[ClassSet] = ()) -> ClassSet:
    """The evaluated classes of Cityscapes in the order of their trainIds, but for some."""
    chosen = [label for label in TRAIN_ID_LABELS if label.id != IGNORE and label.name not in without]
    names = tuple(label.name for label in chosen)
    return ClassSet(
        name,
        names,
        tuple(label.colour for label in chosen),
        tuple((name,) for name in names),
        {other.name: other.classes for other in beside},
    )


_NOT_IN_SYNTHIA = ("terrain", "truck", "train")
_SYNTHIA13 = _of_cityscapes("synthia13", without=(*_NOT_IN_SYNTHIA, "wall", "fence", "pole"))
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
        _of_cityscapes("synthia16", without=_NOT_IN_SYNTHIA, beside=(_SYNTHIA13,)),
        _SYNTHIA13,
        # the categories of Cityscapes (its label definitions), in which ESL adapts to Mapillary Vistas; a label may
        # call itself by its category, as those of Vistas do
        ClassSet(
            "vistas7",
            tuple(_CATEGORIES),
            tuple(_BY_NAME[members[0]].colour for members in _CATEGORIES.values()),
            tuple(tuple(dict.fromkeys((*members, category))) for category, members in _CATEGORIES.items()),
        ),
    )
}


def declared_class_set(name: str, declaration: Mapping[str, Mapping[str, Any]]) -> ClassSet:
    """A class set of the user's own: class name -> ``labels`` (names; default: its own) and ``colour`` (R, G, B).

    Without a colour a class has that of the Cityscapes label it is called like, or one of matplotlib's ``tab20``.

    Raises:
        InputError: a label is part of two classes, or there are fewer than 2 or more than 255 classes.

    >>> declared_class_set("two", {"drivable": {"labels": ["road", "parking"]}, "sky": {}}).members
    (('road', 'parking'), ('sky',))
    """
    if not 2 <= len(declaration) <= IGNORE:
        raise InputError(f"class_sets.{name}: expected 2 to {IGNORE} classes, but got {len(declaration)}")
    owners: dict[str, str] = {}
    for class_, entry in declaration.items():
        for label in entry.get("labels", [class_]):
            if label in owners:
                raise InputError(
                    f"class_sets.{name}: the label {label!r} is part of {owners[label]!r} and of {class_!r}; "
                    "a label can be part of one class only: take it out of the other"
                )
            owners[label] = class_
    return ClassSet(
        name,
        tuple(declaration),
        tuple(_colour(class_, entry, position) for position, (class_, entry) in enumerate(declaration.items())),
        tuple(tuple(entry.get("labels", [class_])) for class_, entry in declaration.items()),
    )


def _colour(class_: str, entry: Mapping[str, Any], position: int) -> Colour:
    if "colour" in entry:
        red, green, blue = entry["colour"]
        return red, green, blue
    return _BY_NAME[class_].colour if class_ in _BY_NAME else _SPARE_COLOURS[position % len(_SPARE_COLOURS)]


Encoding = Literal["ids", "first_of_16_bits", "colours"]
"""What the pixels of a label file hold: 8-bit ids (palette indices or grey values, never colours); ids of 8 bits, or in
the first of three 16-bit channels, as SYNTHIA has them; or RGB colours, one for each label."""

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)


@dataclass(frozen=True)
class IdTable:
    """How the raw ids of a label file become trainIds: look-up tables over all 256 byte values.

    ``train_ids`` (256,) uint8 holds the trainId or ``IGNORE``; ``known`` (256,) bool tells which ids the
    format defines at all. An id that is not known is a defect of the file, never silently ignored.
    """

    train_ids: NDArray[np.uint8]
    known: NDArray[np.bool_]
    encoding: Encoding = "ids"
    colours: Mapping[Colour, int] = field(default_factory=dict)
    """Where pixels hold colours, the id that each of them stands for."""


def id_table(labels: Sequence[Label], class_set: ClassSet, encoding: Encoding = "ids") -> IdTable:
    """The look-up tables of a format's ``labels`` for ``class_set``, matched by the names of the labels.

    >>> table = id_table(CITYSCAPES_LABELS, CLASS_SETS["cityscapes19"])
    >>> int(table.train_ids[26]), int(table.train_ids[4]), bool(table.known[34])
    (13, 255, False)
    """
    train_ids = np.full(256, IGNORE, dtype=np.uint8)
    known = np.zeros(256, dtype=np.bool_)
    for label in labels:
        known[label.id] = True
        train_ids[label.id] = class_set.train_id(label)
    colours = {label.colour: label.id for label in labels} if encoding == "colours" else {}
    return IdTable(train_ids, known, encoding, colours)
