"""An image with labels in a file of a labelling tool; ``png_folder.py`` is the reader to copy for another kind."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.data.formats.base import nfc
from esl.labelling.contents import LabelSet
from esl.labelling.masks import BACKGROUND


class ReadLabel(NamedTuple):
    """The label of an image."""

    train_ids: NDArray[np.uint8]  # (H, W), IGNORE where nothing is labelled
    unknown: frozenset[str] = frozenset()  # names in it that the class set does not have; their pixels are IGNORE


@dataclass(frozen=True)
class AnnotatedImage:
    """An image that a file has labels for."""

    name: str  # its path without its ending, as the file gives it, with `/` between folders
    set: LabelSet | None  # what the file says that it is for
    file: str  # where its labels lie, for messages
    read: Callable[[ClassSet], ReadLabel]
    """Decodes the label; InputError if it is damaged or holds something else."""


def named_set(name: str) -> LabelSet | None:
    """The set that a subset or folder of this name is for, in any case of letters; ``None`` for other names.

    >>> named_set("train"), named_set("Measure"), named_set("default")
    ('train', 'measure', None)
    """
    sets: tuple[LabelSet, ...] = get_args(LabelSet)
    return next((each for each in sets if each == name.lower()), None)


def without_ending(name: str) -> str:
    r"""The path of an image without its ending, with `/` between folders.

    >>> without_ending("./drive 1\\frame.v1.png")
    'drive 1/frame.v1'
    """
    return PurePosixPath(name.replace("\\", "/")).with_suffix("").as_posix() if name.strip("./\\") else name


def train_id_of(name: str, class_set: ClassSet) -> int | None:
    """The trainId of a label by its name: of a class, or else of a label that is a part of one.

    ``IGNORE`` for the background, and for labels of no class that the class set knows; ``None`` for unknown names.

    >>> two = ClassSet("two", ("road", "car"), ((1, 0, 0), (2, 0, 0)), (("road",), ("car", "truck")))
    >>> [train_id_of(name, two) for name in ("car", "truck", "background", "lorry")]
    [1, 1, 255, None]
    """
    for train_id, members in [*enumerate((each,) for each in class_set.classes), *enumerate(class_set.members)]:
        if nfc(name) in map(nfc, members):
            return train_id
    return IGNORE if name == BACKGROUND or name in class_set.foreign else None
