"""Pseudo-label PNGs: how they are written, and how training checks them against their manifest."""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE, ClassSet, IdTable
from esl.data.images import CheckedFile
from esl.data.index import require_plain_id
from esl.errors import InputError
from esl.files import atomic_path, sha256_of_file


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


def checked_files(manifest: dict[str, Any], folder: Path) -> dict[str, CheckedFile]:
    """Sample id -> pseudo-label PNG, each checked against its digest in the manifest.

    Raises:
        InputError: files are missing or have changed; the message names them and how to write them again.
    """
    paths = {id_: png_path(folder, id_) for id_ in manifest["files"]}
    defects = []
    for id_, path in paths.items():
        if not path.is_file():
            defects.append(f"{path}: missing")
        elif sha256_of_file(path) != manifest["files"][id_]["sha256"]:
            defects.append(f"{path}: changed since it was written")
    if defects:
        raise InputError(
            f"{len(defects)} pseudo-label(s) differ from their manifest; to write them again delete {folder}.json "
            "and run the workflow\n  "
            + "\n  ".join(defects[:20] + ([f"... and {len(defects) - 20} more"] if len(defects) > 20 else []))
        )
    return {id_: CheckedFile(path, manifest["files"][id_]["sha256"]) for id_, path in paths.items()}
