"""CVAT's "Segmentation mask 1.1": a zip file of a round's pseudo-labels; ``esl.labelling.masks`` has the layout."""

from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

from esl.classes import ClassSet
from esl.export.items import Item
from esl.files import atomic_path
from esl.labelling.masks import MaskWriter


def write_cvat(path: Path, items: Iterable[Item], class_set: ClassSet) -> None:
    """Writes the zip file that CVAT imports into a task with these images and labels.

    Raises:
        InputError: a class cannot be written: its name or its colour is taken, or its name breaks the map of colours.
    """
    with atomic_path(path) as part, ZipFile(part, "w") as archive:
        writer = MaskWriter(archive, class_set)
        for item in items:
            writer.add("default", item.name, *writer.encoded(item.label))
        writer.finish()
