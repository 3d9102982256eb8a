"""PNGs with the names of their images: trainIds, as the project's own pseudo-labels are, or colours of the class set.

A first folder `measure` or `train` says what they are for.
"""

from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet, IdTable, Label, id_table
from esl.data.id_labels import decode_ids, decode_lossless, unknown_ids
from esl.errors import InputError
from esl.labelling.returned.base import Annotated, Files, set_named
from esl.labels.png import train_id_table


def annotated(files: Files, class_set: ClassSet) -> list[Annotated]:
    """Every PNG."""
    tables = train_id_table(class_set), _colour_table(class_set)
    return [_of_file(files, name, tables) for name in files.names if name.lower().endswith(".png")]


def _of_file(files: Files, name: str, tables: tuple[IdTable, IdTable]) -> Annotated:
    first, *rest = PurePosixPath(name).parts
    set_ = set_named(first) if rest else None
    below = "/".join(rest) if set_ else name
    return Annotated(below.rpartition(".")[0], set_, files.where(name), partial(_read, files, name, tables))


def _colour_table(class_set: ClassSet) -> IdTable:
    """The look-up table of labels in the colours of the class set; black is not labelled."""
    rows = zip(class_set.members, class_set.colours, strict=True)
    labels = [Label(id_, members[0], colour=colour) for id_, (members, colour) in enumerate(rows)]
    free = [] if any(label.colour == (0, 0, 0) for label in labels) else [Label(IGNORE, "unlabeled")]
    return id_table([*labels, *free], class_set, "colours")


def _read(files: Files, name: str, tables: tuple[IdTable, IdTable]) -> NDArray[np.uint8]:
    path, content = Path(files.where(name)), files.read(name)
    table = tables[decode_lossless(path, content).mode in ("RGB", "RGBA")]
    ids = decode_ids(path, content, table)
    if unknown := unknown_ids(ids, table):
        raise InputError(f"{path}: {unknown} are no trainIds of the class set; expected 0, 1, ... and 255 for nothing")
    return table.train_ids[ids]
