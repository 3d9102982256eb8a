"""Classes as all stages use them: the ignore index, labels, class sets, and look-up tables of raw ids."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

IGNORE = 255
"""The ignore index: pixels with this trainId count in no loss, threshold or score."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class Label:
    """One kind of pixel in a label file; ``train_id`` is Cityscapes' own, ``IGNORE`` where it has none."""

    id: int
    name: str
    train_id: int = IGNORE
    colour: Colour = (0, 0, 0)
    also: tuple[str, ...] = ()
    """Fallback names, tried in this order when a class set does not list ``name``."""

    @property
    def names(self) -> tuple[str, ...]:
        """Its own name, then the fallback names."""
        return self.name, *self.also


@dataclass(frozen=True)
class ClassSet:
    """The classes that a model distinguishes, in the order of their trainIds (0, 1, ...)."""

    name: str
    classes: tuple[str, ...]
    colours: tuple[Colour, ...]
    members: tuple[tuple[str, ...], ...]  # the names of the labels that make up each class
    subsets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Class sets consisting of some of these classes, whose mean IoU is reported as well: name -> classes."""
    foreign: tuple[str, ...] = ()
    """Labels of no class that some of the literature scores as errors, so that means are reported in both ways."""

    def __len__(self) -> int:
        return len(self.classes)

    def palette(self) -> list[int]:
        """The 256 * 3 palette of an indexed PNG of trainIds; ``IGNORE`` and unused indices are black.

        >>> ClassSet("one", ("road",), ((128, 64, 128),), (("road",),)).palette()[:6]
        [128, 64, 128, 0, 0, 0]
        """
        flat = [channel for colour in self.colours for channel in colour]
        return flat + [0] * (3 * 256 - len(flat))

    def train_id(self, label: Label) -> int:
        """The trainId of the class that ``label`` is part of, by the first of its names that any class lists."""
        for name in label.names:
            for train_id, members in enumerate(self.members):
                if name in members:
                    return train_id
        return IGNORE

    def to_json(self) -> dict[str, Any]:
        """The class set as plain JSON, which ``from_json`` reads."""
        rows = zip(self.classes, self.colours, self.members, strict=True)
        classes = {name: {"colour": [*colour], "labels": [*members]} for name, colour, members in rows}
        subsets = {name: [*some] for name, some in self.subsets.items()}
        foreign = {"foreign": [*self.foreign]} if self.foreign else {}
        return {"name": self.name, "classes": classes, "subsets": subsets, **foreign}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ClassSet":
        """The class set of ``to_json``."""
        rows = content["classes"].values()
        return cls(
            content["name"],
            tuple(content["classes"]),
            tuple((red, green, blue) for red, green, blue in (row["colour"] for row in rows)),
            tuple(tuple(row["labels"]) for row in rows),
            {name: tuple(some) for name, some in content["subsets"].items()},
            tuple(content.get("foreign", ())),
        )


Encoding = Literal["ids", "first_of_16_bits", "red", "colours"]
"""The content of a label file's pixels: 8-bit ids (palette indices or grey values, never colours); ids of 8 bits, or in
the first of three 16-bit channels, as SYNTHIA has them; ids in the red channel, as CARLA has them; or RGB colours, one
for each label."""

ENCODINGS: tuple[Encoding, ...] = get_args(Encoding)


@dataclass(frozen=True)
class IdTable:
    """The mapping from raw ids of a label file to trainIds: look-up tables over all 256 byte values.

    ``train_ids`` (256,) uint8 holds the trainId or ``IGNORE``; ``known`` (256,) bool says which ids the
    format defines at all. An id that is not known is a defect of the file, never silently ignored.
    """

    train_ids: NDArray[np.uint8]
    known: NDArray[np.bool_]
    encoding: Encoding = "ids"
    colours: Mapping[Colour, int] = field(default_factory=dict)
    """The id of each colour, where pixels hold colours."""


def id_table(
    labels: Sequence[Label], class_set: ClassSet, encoding: Encoding = "ids", *, foreign: bool = False
) -> IdTable:
    """The look-up tables of a format's ``labels`` for ``class_set``, matched by the names of the labels.

    With ``foreign``, the labels that the class set calls so have the trainIds that follow those of its C classes,
    C, C + 1, ... in its order, in place of ``IGNORE``.

    >>> two = ClassSet("two", ("road", "car"), ((128, 64, 128), (0, 0, 142)), (("road",), ("car",)))
    >>> table = id_table([Label(7, "road"), Label(26, "car"), Label(4, "static")], two)
    >>> int(table.train_ids[26]), int(table.train_ids[4]), bool(table.known[34])
    (1, 255, False)
    """
    train_ids = np.full(256, IGNORE, dtype=np.uint8)
    known = np.zeros(256, dtype=np.bool_)
    for label in labels:
        known[label.id] = True
        train_ids[label.id] = class_set.train_id(label)
        others = [name for name in label.names if name in class_set.foreign]
        if foreign and others and train_ids[label.id] == IGNORE:
            train_ids[label.id] = len(class_set) + class_set.foreign.index(others[0])
    colours = {label.colour: label.id for label in labels} if encoding == "colours" else {}
    return IdTable(train_ids, known, encoding, colours)
