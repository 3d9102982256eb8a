"""Predictions as the label ids of their dataset, which test servers take: Cityscapes', ACDC's."""

from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esl.data.images import read_label
from esl.data.index import Index
from esl.errors import InputError
from esl.files import atomic_path
from esl.labelling.archive import add, png
from esl.labels.manifest import read_any_manifest
from esl.labels.png import checked_files, train_id_table


def write_label_ids(output: Path, manifest: Path, index: Index) -> None:
    """Writes a zip of one 8-bit grey PNG of label ids per image, named by its id, at the size of the prediction.

    Args:
        manifest: predictions.json; its PNGs lie in the folder next to it.

    Raises:
        InputError: a prediction is missing or has changed, or the dataset has no id for a class.
    """
    ids = ids_of_classes(index)
    files = checked_files(read_any_manifest(manifest).files, manifest.with_suffix(""))
    table = train_id_table(index.class_set)
    with atomic_path(output) as part, ZipFile(part, "w") as archive:
        for id_, file in tqdm(sorted(files.items()), unit="image", mininterval=5):
            add(archive, f"{id_}.png", png(ids[read_label(file, table)]))


def ids_of_classes(index: Index) -> NDArray[np.uint8]:
    """The label id of every trainId (256,) uint8; 0 for the ignore index.

    Where a class joins several labels, it is that of the label with the name of the class, or else the first.
    """
    ids = np.zeros(256, dtype=np.uint8)
    for train_id, class_ in enumerate(index.class_set.classes):
        labels = [label for label in index.labels if index.class_of(label) == class_]
        named = [label for label in labels if label.name == class_]
        if not labels or index.encoding == "colours":
            raise InputError(
                f"{index.root}: {index.dataset!r} has no label id for {class_!r}; only datasets whose labels hold ids "
                "have a server that takes them"
            )
        ids[train_id] = (named or labels)[0].id
    return ids
