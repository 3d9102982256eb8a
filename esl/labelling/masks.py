"""The layout of CVAT's "Segmentation mask 1.1", and its writer: Pascal VOC's segmentation, with a map of colours.

docs.cvat.ai/docs/manual/advanced/formats/format-smask says what is where. SegmentationObject holds one object for
each class in an image, in the n-th colour of Pascal VOC's palette.
"""

from collections import Counter
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.errors import InputError
from esl.labelling.archive import add, png

LABEL_MAP = "labelmap.txt"
IMAGES = "JPEGImages/"
MASKS = "SegmentationClass/"
OBJECTS = "SegmentationObject/"
LISTS = "ImageSets/Segmentation/"

BACKGROUND = "background"
"""CVAT's label of pixels that have none; it is black."""


class MaskWriter:
    """Writes masks, and their images where CVAT does not have them yet, into a zip file that CVAT imports.

    Raises:
        InputError: a class cannot be written: its name or its colour is taken, or its name breaks the map of colours.
    """

    def __init__(self, archive: ZipFile, class_set: ClassSet) -> None:
        self._archive, self._palette = archive, class_set.palette()
        self._label_map = _label_map(class_set)
        self._subsets: dict[str, list[str]] = {}

    def add(self, subset: str, name: str, mask: bytes, objects: bytes) -> None:
        """Adds an image's mask and objects, as ``encoded`` makes them; ``name`` is its path without ending."""
        self._subsets.setdefault(subset, []).append(name)
        add(self._archive, f"{MASKS}{name}.png", mask)
        add(self._archive, f"{OBJECTS}{name}.png", objects)

    def add_image(self, path: str, content: bytes) -> None:
        """Adds the file of an image; ``path`` has its ending."""
        add(self._archive, IMAGES + path, content)

    def encoded(self, label: NDArray[np.uint8]) -> tuple[bytes, bytes]:
        """The PNGs of the mask and of the objects of trainIds (H, W)."""
        return png(label, self._palette), png(_objects(label), voc_palette())

    def finish(self) -> None:
        """Adds the map of colours and the lists of the subsets; InputError if two images have one name."""
        names = Counter(name for subset in self._subsets.values() for name in subset)
        if twice := [name for name, number in names.items() if number > 1]:
            raise InputError(f"images that differ only in their ending: {', '.join(twice)}; rename one of each")
        add(self._archive, LABEL_MAP, self._label_map.encode(), ZIP_DEFLATED)
        for subset, listed in self._subsets.items():
            add(self._archive, f"{LISTS}{subset}.txt", "".join(f"{name}\n" for name in listed).encode())


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
