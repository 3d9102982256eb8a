"""Every file of a data set opened once, every defect found, before any hour of compute is spent."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal, get_args

import numpy as np
from tqdm import tqdm

from esl.classes import IGNORE, ClassSet, IdTable, id_table
from esl.data.formats.base import Format, LabelFiles, Sample
from esl.data.images import read_ids, read_picture, unknown_ids
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import sha256_of_file

SHOWN_DEFECTS = 40
"""Defects printed at most, so that the report fits a screen; the count names them all."""

Demand = Literal["required", "all_or_none", "optional"]
"""Of labels: every picture must have one; every one or none at all; or each as it pleases."""

DEMANDS: tuple[Demand, ...] = get_args(Demand)


@dataclass(frozen=True)
class Checks:
    """What an index demands of a data set."""

    labels: Demand = "required"
    mismatched_labels: Literal["error", "resize"] = "error"  # a label of another size than its picture
    missing_labels: Literal["error", "skip"] = "error"  # a picture without the label that it must have


@dataclass(frozen=True)
class Inspection:
    """What was found: the index of the sound samples, ids of label files by name that occur, and every defect."""

    index: Index
    present: frozenset[int]
    defects: list[str]

    def checked(self) -> Index:
        """The index; InputError lists every defect when there is one."""
        if self.defects:
            what = f"{self.index.dataset} {self.index.split!r} under {self.index.root}"
            raise InputError(f"{what}: {len(self.defects)} defect(s)\n  " + "\n  ".join(shown(self.defects)))
        return self.index


@dataclass
class _Found:
    """What one sample gave."""

    sample: IndexedSample | None = None
    ids: frozenset[int] = frozenset()
    defects: list[str] = field(default_factory=list)
    left_out: str | None = None


def inspect(
    name: str, format_: Format, root: Path, split: str, class_set: ClassSet, checks: Checks, *, workers: int = 1
) -> Inspection:
    """Opens every file of a split once. ``name`` is what the config calls the format.

    Raises:
        InputError: there is nothing to inspect: no sample, or no file that says what lies where.
    """
    listing = format_.listing(root, split)
    if not listing.samples:
        raise InputError(_nothing_there(name, format_, root, split))
    label_files = listing.label_files or LabelFiles("", ())
    labelled = sum(sample.label is not None for sample in listing.samples)
    required = checks.labels == "required" or (checks.labels == "all_or_none" and labelled > 0)
    check = partial(
        _inspected,
        root=root,
        table=id_table(label_files.labels, class_set, label_files.encoding),
        num_classes=len(class_set),
        checks=checks,
        required=required,
    )
    found = _in_processes(check, listing.samples, workers, desc=f"index {split}")
    index = Index(
        name,
        str(root),
        split,
        class_set,
        label_files.pattern.replace("{split}", split) or None,
        label_files.encoding,
        tuple(replace(label, train_id=IGNORE) for label in label_files.labels),
        [each.sample for each in found if each.sample is not None],
        tuple(each.left_out for each in found if each.left_out is not None),
    )
    defects = [*listing.defects, *(defect for each in found for defect in each.defects)]
    if not defects:
        defects = _defects_of_the_whole(index, required)
    return Inspection(index, frozenset[int]().union(*(each.ids for each in found)), defects)


def _in_processes(check: Callable[[Sample], _Found], samples: list[Sample], workers: int, desc: str) -> list[_Found]:
    with ProcessPoolExecutor(workers) as pool:
        results = pool.map(check, samples, chunksize=16)
        return list(tqdm(results, total=len(samples), desc=desc, unit="image", mininterval=5))


def _nothing_there(name: str, format_: Format, root: Path, split: str) -> str:
    splits = [repr(other) for other in format_.splits(root)]
    there = f"; it has pictures of {', '.join(splits)}" if splits else ""
    return f"{root}: no samples of {name} {split!r} there; expected {format_.layout(split)}{there}"


def _inspected(
    sample: Sample, *, root: Path, table: IdTable, num_classes: int, checks: Checks, required: bool
) -> _Found:
    """The indexed sample, or its defects."""
    if sample.id in ("", ".", "..") or "/" in sample.id or "\\" in sample.id:
        return _Found(defects=[f"{sample.picture}: its id {sample.id!r} is no plain file name; rename the file"])
    if sample.picture is None:
        return _Found(defects=[f"{sample.label}: a label without its picture; expected it beside the others"])
    if sample.label is None and required:
        if checks.missing_labels == "skip":
            return _Found(left_out=sample.picture.relative_to(root).as_posix())
        return _Found(defects=[f"{sample.picture}: a picture without its label; expected it beside the others"])
    defects, size, label_size, pixels, present = [], (0, 0), None, None, frozenset[int]()
    try:
        height, width = read_picture(sample.picture).shape[:2]
        size = (width, height)
    except InputError as error:
        defects.append(str(error))
    if sample.label is not None:
        try:
            ids = read_ids(sample.label, table)
        except InputError as error:
            defects.append(str(error))
        else:
            label_size = (ids.shape[1], ids.shape[0])
            counts = np.bincount(ids.ravel(), minlength=256)
            present = frozenset(np.flatnonzero(counts).tolist())
            pixels = np.bincount(table.train_ids, weights=counts, minlength=256)[:num_classes].astype(int).tolist()
            if unknown := unknown_ids(ids, table):
                defects.append(f"{sample.label}: unknown label ids {unknown}; is it really this data set's format?")
            if size not in (label_size, (0, 0)) and checks.mismatched_labels == "error":
                defects.append(
                    f"{sample.label}: a label of {label_size[0]}x{label_size[1]} for a picture of {size[0]}x{size[1]}; "
                    "mend the file, or set mismatched_labels: resize to have such labels resized (nearest)"
                )
    if defects:
        return _Found(ids=present, defects=defects)
    indexed = IndexedSample(
        id=sample.id,
        picture=sample.picture.relative_to(root).as_posix(),
        size=size,
        label=sample.label.relative_to(root).as_posix() if sample.label else None,
        label_size=None if label_size == size else label_size,
        pixels=pixels,
        picture_sha256=sha256_of_file(sample.picture),
        label_sha256=sha256_of_file(sample.label) if sample.label else None,
    )
    return _Found(indexed, present)


def _defects_of_the_whole(index: Index, required: bool) -> list[str]:
    """Defects that no single file shows."""
    if not index.samples:
        return [f"{index.root}: every picture was left out, since none has a label ({index.label_files})"]
    if required and not any(index.class_pixels().values()):
        return [
            f"{index.root}: no pixel of any class of {index.class_set.name} in any label ({index.label_files}); are "
            "they dummies, as those of Cityscapes' test are, or of another format?"
        ]
    return []


def shown(lines: list[str], most: int = SHOWN_DEFECTS) -> list[str]:
    """Lines cut to a screen, with the number of those that are left out."""
    return lines[:most] + ([f"... and {len(lines) - most} more"] if len(lines) > most else [])
