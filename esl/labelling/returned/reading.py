"""Which kind of returned labels a path holds, and the labels in it."""

from pathlib import Path, PurePosixPath

from esl.classes import ClassSet
from esl.errors import InputError
from esl.labelling.returned import coco, cvat, pngs
from esl.labelling.returned.base import Annotated, Files


def read_annotated(path: Path, class_set: ClassSet) -> list[Annotated]:
    """The labels in a zip file, a folder, or a single COCO file; their pixels are read later.

    Raises:
        InputError: the path is missing or damaged, or holds no labels of a known kind.
    """
    files = _SingleFile(path) if path.is_file() and path.suffix.lower() == ".json" else Files(path)
    names = [PurePosixPath(name) for name in files.names]
    if any(name.name == cvat.MAP for name in names) or any(cvat.MASKS in name.parts for name in names):
        found = cvat.annotated(files, class_set)
    elif any(name.suffix.lower() == ".json" for name in names):
        found = coco.annotated(files, class_set)
    else:
        found = pngs.annotated(files, class_set)
    if not found:
        raise InputError(
            f"{path}: no labels in it; expected CVAT's Segmentation mask 1.1 (labelmap.txt, SegmentationClass), COCO "
            "(.json), or PNGs with the names of the images"
        )
    return found


class _SingleFile(Files):
    """A file by itself, as the folder with nothing else in it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path.parent)
        self.names = [path.name]
