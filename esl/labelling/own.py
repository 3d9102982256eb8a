"""The labels that a dataset itself has, of drawn images: to try labelling without a person."""

from pathlib import Path

from esl.data.index import Index
from esl.errors import InputError
from esl.labelling.contents import Drawn, Labels
from esl.labelling.settings import OWN
from esl.labelling.writing import manifest, write_label


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
    files = {
        id_: write_label(
            folder, samples[id_], "train", index.read_label(samples[id_], samples[id_].size_wh), index.class_set
        )
        for id_ in drawn.train
    }
    return manifest(folder, files, index.class_set, origin=OWN)
