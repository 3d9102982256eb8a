"""The labels that a dataset itself has, of drawn images: to try labelling without a person."""

from pathlib import Path

import numpy as np

from esl.data.index import Index
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labelling.contents import Drawn, LabelFile, Labels
from esl.labelling.settings import OWN
from esl.labels.png import png_path, remove_others, write_png


def own_labels(drawn: Drawn, index: Index, folder: Path) -> Labels:
    """Writes the dataset's own labels of the images drawn for training as PNGs in ``folder``; returns the manifest.

    Raises:
        InputError: a drawn image has no label in ``index``.
    """
    samples = {sample.id: sample for sample in index.samples}
    if unlabelled := [id_ for id_ in drawn.train if id_ not in samples or samples[id_].label is None]:
        raise InputError(
            f"{index.root}: target.labels is `own`, but {unlabelled[0]!r} was drawn and has no label there; give the "
            "dataset its label, or name a file of labels"
        )
    files = {}
    for id_ in sorted(drawn.train):
        sample = samples[id_]
        label = index.read_label(sample, sample.size_wh)
        path = png_path(folder, id_)
        write_png(path, label, index.class_set)
        pixels = np.bincount(label.ravel(), minlength=256)[: len(index.class_set)].tolist()
        files[id_] = LabelFile(
            sha256=sha256_of_file(path), set="train", image_sha256=sample.image_sha256, pixels=pixels
        )
    remove_others(folder, [png_path(folder, id_) for id_ in files])
    totals = np.sum([file.pixels for file in files.values()], axis=0).tolist()
    pixels = dict(zip(index.class_set.classes, totals, strict=True))
    return Labels(origin=OWN, images=len(files), pixels=pixels, files=files)
