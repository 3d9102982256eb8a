"""Pseudo-label PNGs: writing them, and checking them against their manifest."""

from collections.abc import Collection, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE, ClassSet, IdTable
from esl.data.images import CheckedFile
from esl.data.index import require_plain_id
from esl.errors import InputError
from esl.files import atomic_path, sha256_of_file
from esl.labels.manifest import PredictionFile


def png_path(folder: Path, id_: str) -> Path:
    """The file of the pseudo-label of ``id_``; InputError for an id that would lead out of ``folder``."""
    return folder / f"{require_plain_id(id_)}.png"


def write_png(path: Path, label: NDArray[np.uint8], class_set: ClassSet) -> None:
    """Writes trainIds (H, W) uint8 as an 8-bit indexed PNG: the index is the trainId, the palette the class set's."""
    image = Image.fromarray(label)
    image.putpalette(class_set.palette())
    with atomic_path(path) as part:
        image.save(part, format="PNG", compress_level=3)  # half the time of level 6, a third larger: see performance


def remove_others(folder: Path, written: Collection[Path]) -> None:
    """Removes the PNGs of ``folder`` that are not among those ``written``."""
    for stale in set(folder.glob("*.png")) - set(written):
        stale.unlink()


def train_id_table(class_set: ClassSet) -> IdTable:
    """The look-up table of a pseudo-label PNG, whose ids are trainIds or ``IGNORE``."""
    known = np.zeros(256, dtype=np.bool_)
    known[: len(class_set)] = True
    known[IGNORE] = True
    return IdTable(np.where(known, np.arange(256), IGNORE).astype(np.uint8), known)


def checked_files(files: Mapping[str, PredictionFile], folder: Path) -> dict[str, CheckedFile]:
    """Sample id -> PNG in ``folder``, each checked against its digest in ``files``, the part of a manifest.

    Raises:
        InputError: files are missing or have changed; the message names them and how to write them again.
    """
    checked = {id_: CheckedFile(png_path(folder, id_), entry.sha256) for id_, entry in files.items()}
    defects = []
    for file in checked.values():
        if not file.path.is_file():
            defects.append(f"{file.path}: missing")
        elif sha256_of_file(file.path) != file.sha256:
            defects.append(f"{file.path}: changed since it was written")
    if defects:
        raise InputError(
            f"{len(defects)} pseudo-label(s) differ from their manifest; to write them again delete {folder}.json "
            "and run the workflow\n  "
            + "\n  ".join(defects[:20] + ([f"... and {len(defects) - 20} more"] if len(defects) > 20 else []))
        )
    return checked
