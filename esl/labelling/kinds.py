"""Labels of a labelling tool: which kind of file they are in, the images that have some, and the state of the file.

Planning calls these functions: they read names and lists, and no pixels.
"""

from pathlib import Path, PurePosixPath

from esl.errors import InputError
from esl.labelling import coco, cvat, png_folder
from esl.labelling.annotated import AnnotatedImage
from esl.labelling.masks import LABEL_MAP, MASKS
from esl.labelling.tree import Tree, open_tree

EXPECTED = (
    "expected an export of CVAT's, `Segmentation mask 1.1` (a zip file or its folder), COCO annotations (.json, or a "
    "zip file or folder of them), or a folder or zip file of PNGs"
)


def annotated_images(path: Path) -> list[AnnotatedImage]:
    """Every image that a file or folder has labels for; their pixels are read later.

    Raises:
        InputError: the path is missing or damaged, or is of no kind that is read, or has no labels.
    """
    tree = open_tree(path)
    images = _by_kind(tree, path)
    if not images:
        raise InputError(f"{path}: no image in it has labels; label some, and export them again")
    return images


def _by_kind(tree: Tree, path: Path) -> list[AnnotatedImage]:
    parts = {part for name in tree.names for part in PurePosixPath(name).parts}
    if LABEL_MAP in parts or MASKS.rstrip("/") in parts:
        return cvat.annotated_images(tree)
    endings = {PurePosixPath(name).suffix.lower() for name in tree.names}
    if ".json" in endings:
        return coco.annotated_images(tree)
    if ".png" in endings:
        return png_folder.annotated_images(tree)
    raise InputError(f"{path}: no labels that are read; {EXPECTED}")


def state(path: Path) -> str:
    """A digest of the content of a file or folder of labels, not of its dates; InputError if it is gone."""
    return open_tree(path).state()
