"""CVAT's "Segmentation mask 1.1": a zip file in the layout of Pascal VOC's segmentation, with a map of colours.

docs.cvat.ai/docs/manual/advanced/formats/format-smask says what is where. SegmentationObject holds one object for
each class in an image, in the n-th colour of Pascal VOC's palette.
"""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.errors import InputError
from esl.export.archive import add, png
from esl.export.items import Item
from esl.files import atomic_path

BACKGROUND = "background"
"""CVAT's label of pixels that have none; it is black."""


def write_cvat(path: Path, items: Iterable[Item], class_set: ClassSet) -> None:
    """Writes the zip file that CVAT imports into a task with these images and labels.

    Raises:
        InputError: a class cannot be written: its name or its colour is taken, or its name breaks the map of colours.
    """
    label_map = _label_map(class_set)
    palette = class_set.palette()
    names: list[str] = []
    with atomic_path(path) as part, ZipFile(part, "w") as archive:
        for item in items:
            names.append(item.name)
            add(archive, f"SegmentationClass/{item.name}.png", png(item.label, palette))
            add(archive, f"SegmentationObject/{item.name}.png", png(_objects(item.label), voc_palette()))
        if twice := [name for name, number in Counter(names).items() if number > 1]:
            raise InputError(f"images that differ only in their ending: {', '.join(twice)}; rename one of each")
        add(archive, "labelmap.txt", label_map.encode(), ZIP_DEFLATED)
        add(archive, "ImageSets/Segmentation/default.txt", "".join(f"{name}\n" for name in names).encode())


def _label_map(class_set: ClassSet) -> str:
    """labelmap.txt: name, colour, parts and actions of every class, and of the background."""
    rows = [(BACKGROUND, (0, 0, 0)), *zip(class_set.classes, class_set.colours, strict=True)]
    for number, (name, colour) in enumerate(rows):
        if any(sign in name for sign in ":\r\n#"):
            raise InputError(f"class {name!r}: CVAT's map of colours cannot hold this name; rename the class")
        for other, taken in rows[:number]:
            if name == other or colour == taken:
                raise InputError(
                    f"class {name!r}: its name or colour is that of {other!r}, and CVAT tells classes apart by both; "
                    "give it another in class_sets"
                )
    head = "# label:color_rgb:parts:actions\n"
    return head + "".join(f"{name}:{','.join(map(str, colour))}::\n" for name, colour in rows)


def _objects(label: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Numbers from 1 for the classes that are in an image, 0 where there is none."""
    present = [train_id for train_id in np.unique(label) if train_id != IGNORE]
    numbers = np.zeros(256, dtype=np.uint8)
    numbers[present] = np.arange(1, len(present) + 1)
    return numbers[label]


def voc_palette() -> list[int]:
    """Pascal VOC's 256 colours, flat: the bits of an index, three at a time, become the high bits of R, G and B."""
    index = np.arange(256)
    colours = np.zeros((256, 3), dtype=np.int64)
    for bit in range(8):
        for channel in range(3):
            colours[:, channel] |= ((index >> (3 * bit + channel)) & 1) << (7 - bit)
    return [int(value) for value in colours.ravel()]
