"""The labels that came back, in place of a dataset's own."""

from dataclasses import replace
from pathlib import Path

from esl.classes import IGNORE, Label
from esl.data.index import Index
from esl.errors import InputError
from esl.labelling.contents import LabelSet, read_labels
from esl.labels.png import checked_files


def labelled_by(labels: Path, index: Index, set_: LabelSet) -> Index:
    """The samples of ``index`` that ``labels`` (a labels.json) has a label for in one of its sets, with these labels.

    Raises:
        InputError: a label is missing or has changed, or its image is not the one that was labelled.
    """
    files = {id_: file for id_, file in read_labels(labels).files.items() if file.set == set_}
    checked = checked_files(files, labels.with_suffix(""))
    samples = [sample for sample in index.samples if sample.id in files]
    if other := [sample.id for sample in samples if sample.image_sha256 != files[sample.id].image_sha256]:
        raise InputError(f"{labels}: {other[0]!r} was labelled on another image; delete it and run the workflow again")
    names = [members[0] for members in index.class_set.members]
    return replace(
        index,
        samples=[
            replace(
                sample,
                label=str(checked[sample.id].path.absolute()),
                label_sha256=files[sample.id].sha256,
                label_size_wh=None,
                pixels=files[sample.id].pixels,
            )
            for sample in samples
        ],
        label_files=str(labels.with_suffix("") / "*.png"),
        encoding="ids",
        labels=(*(Label(id_, name) for id_, name in enumerate(names)), Label(IGNORE, "unlabeled")),
        left_out=(),
    )


def scored_on(labels: Path | None, index: Index) -> tuple[Index, bool]:
    """The index with the labels that models are scored on, and whether the labelled images were drawn at random.

    Labels of the set `measure` of ``labels`` take the place of the dataset's own; without any of them, these stay.
    """
    own = None if labels is None else labelled_by(labels, index, "measure")
    if labels is None or own is None or not own.samples:
        return index, False
    measured = {sample.id: sample for sample in own.samples}
    bare = (replace(sample, label=None, label_sha256=None, label_size_wh=None, pixels=None) for sample in index.samples)
    samples = [measured.get(sample.id, sample) for sample in bare]
    return replace(own, samples=samples), read_labels(labels).drawn_at_random


def trained_on(target: Index, scored: Index) -> Index:
    """The samples of ``target`` whose own labels a model may train on: all but those of images that are ``scored``."""
    measured = {sample.image_sha256 for sample in scored.labelled}
    return replace(target, samples=[sample for sample in target.labelled if sample.image_sha256 not in measured])
