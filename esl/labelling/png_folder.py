"""Reads a folder or zip file of PNGs with the names of their images: trainIds, or the colours of the class set.

A first folder `measure` or `train` is the set of the images in it, and no part of their names.
"""

from functools import partial
from pathlib import Path

import numpy as np
from PIL.Image import Image

from esl.classes import IGNORE, ClassSet, Colour
from esl.data.id_labels import decode_lossless, ids_of_colours, plain_ids, unknown_ids
from esl.data.notes import SHOWN_IDS
from esl.errors import InputError, printable
from esl.labelling.annotated import AnnotatedImage, ReadLabel, named_set
from esl.labelling.tree import Tree
from esl.labels.png import train_id_table


def annotated_images(tree: Tree) -> list[AnnotatedImage]:
    """Every PNG."""
    pngs = [name for name in tree.names if name.lower().endswith(".png")]
    tops = {name.partition("/")[0] for name in pngs}
    top = f"{tops.pop()}/" if len(tops) == 1 else ""  # of a zip file that was made of a folder
    if named_set(top[:-1]) or not any(named_set(name.removeprefix(top).partition("/")[0]) for name in pngs):
        top = ""
    return [_annotated(tree, png, png.removeprefix(top)) for png in pngs]


def _annotated(tree: Tree, png: str, name: str) -> AnnotatedImage:
    first, _, rest = name.partition("/")
    set_ = named_set(first) if rest else None
    stem = (rest if set_ else name)[: -len(".png")]
    return AnnotatedImage(stem, set_, str(tree.path / printable(png)), partial(_read, tree, png))


def _read(tree: Tree, png: str, class_set: ClassSet) -> ReadLabel:
    path, content = tree.path / printable(png), tree.read(png)
    image = decode_lossless(path, content)
    if image.mode in ("RGB", "RGBA") or (image.mode == "P" and not _holds_train_ids(image, class_set)):
        colours = _colours(path, class_set)
        fix = f"expected the colours of {class_set.name!r}, and black where nothing is labelled"
        return ReadLabel(ids_of_colours(path, content, colours, for_ids=fix, for_others=fix))
    table = train_id_table(class_set)
    ids = plain_ids(path, content)
    if unknown := unknown_ids(ids, table):
        raise InputError(
            f"{path}: holds {', '.join(map(str, unknown[:SHOWN_IDS]))}, but expected the trainIds 0 to "
            f"{len(class_set) - 1} of {class_set.name!r}, and {IGNORE} where nothing is labelled"
        )
    return ReadLabel(ids)


def _holds_train_ids(image: Image, class_set: ClassSet) -> bool:
    """Whether the palette gives every index in use the colour of the class of this trainId, and ``IGNORE`` black."""
    palette, expected = image.getpalette() or [], class_set.palette()
    return all(
        (index < len(class_set) or index == IGNORE)
        and palette[3 * index : 3 * index + 3] == expected[3 * index : 3 * index + 3]
        for index in np.unique(np.asarray(image)).tolist()
    )


def _colours(path: Path, class_set: ClassSet) -> dict[Colour, int]:
    """The trainId of each colour; black is ``IGNORE`` unless it is a class's."""
    colours = {colour: id_ for id_, colour in enumerate(class_set.colours)}
    if len(colours) < len(class_set):
        raise InputError(
            f"{path}: two classes of {class_set.name!r} have one colour; save trainIds as a grey PNG, or give the "
            "classes different colours in class_sets"
        )
    return {(0, 0, 0): IGNORE} | colours
