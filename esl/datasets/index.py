"""The index of a data set: every file opened once, every defect found, before any hour of compute is spent."""

from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np
from tqdm import tqdm

from esl.classes import CLASS_SETS, IdTable
from esl.datasets.formats import format_named
from esl.datasets.reading import Size, read_ids, read_picture, unknown_ids
from esl.datasets.samples import Sample
from esl.errors import InputError
from esl.files import read_json, sha256_of_file, sha256_of_lines

SHOWN_DEFECTS = 40
"""Defects printed at most, so that the report fits a screen; the count names them all."""


@dataclass(frozen=True)
class IndexedSample:
    """A sample whose files have been read. Paths are relative to the index's root; sizes are (width, height)."""

    id: str
    picture: str
    size: Size
    label: str | None
    label_size: Size | None  # where it differs from the picture's: read_label resizes it (nearest)
    pixels: list[int] | None  # labelled pixels of each class
    picture_sha256: str
    label_sha256: str | None


@dataclass(frozen=True)
class Index:
    """All samples of one split of a data set, checked."""

    dataset: str
    root: str
    split: str
    class_set: str
    samples: list[IndexedSample]

    def picture(self, sample: IndexedSample) -> Path:
        """Where the picture of ``sample`` lies."""
        return Path(self.root) / sample.picture

    def label(self, sample: IndexedSample) -> Path:
        """Where the label of ``sample`` lies; asking for one that does not exist is an error of the caller."""
        assert sample.label is not None, sample.id
        return Path(self.root) / sample.label

    def table(self) -> IdTable:
        """How raw ids of this data set become trainIds."""
        return format_named(self.dataset).table(CLASS_SETS[self.class_set])

    def picture_fingerprint(self) -> str:
        """SHA-256 over ids and picture bytes; it says nothing of labels, which adaptation never reads on the target."""
        return sha256_of_lines([f"{sample.id} {sample.picture_sha256}" for sample in self.samples])

    def fingerprint(self) -> str:
        """SHA-256 over ids, picture bytes and label bytes."""
        return sha256_of_lines([f"{s.id} {s.picture_sha256} {s.label_sha256}" for s in self.samples])

    def to_json(self) -> dict[str, Any]:
        """What the index file holds; sums and reconciled sizes first, for people who open it."""
        classes = CLASS_SETS[self.class_set].classes
        labelled = [sample.pixels for sample in self.samples if sample.pixels is not None]
        totals = [sum(pixels) for pixels in zip(*labelled, strict=True)] or [0] * len(classes)
        return {
            "dataset": self.dataset,
            "root": self.root,
            "split": self.split,
            "class_set": self.class_set,
            "pictures": len(self.samples),
            "labelled": len(labelled),
            "sizes": {f"{w}x{h}": n for (w, h), n in sorted(Counter(s.size for s in self.samples).items())},
            "class_pixels": dict(zip(classes, totals, strict=True)),
            "resized_labels": [sample.id for sample in self.samples if sample.label_size is not None],
            "fingerprint": self.fingerprint(),
            "samples": [asdict(sample) for sample in self.samples],
        }


def read_index(path: Path) -> Index:
    """The index in a file written from ``Index.to_json``; InputError when it is damaged."""
    content = read_json(path)
    try:
        samples = [
            IndexedSample(**{**s, "size": tuple(s["size"]), "label_size": s["label_size"] and tuple(s["label_size"])})
            for s in content["samples"]
        ]
        return Index(content["dataset"], content["root"], content["split"], content["class_set"], samples)
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: not an index of this version ({error}); delete it and run the workflow again"
        ) from None


@dataclass(frozen=True)
class Checks:
    """What an index demands of a data set."""

    labels: Literal["required", "optional"]  # optional where nothing but diagnostics reads them
    mismatched_labels: Literal["error", "resize"]  # a label of another size than its picture
    same_size: bool  # whether all pictures must have one size


def build_index(dataset: str, root: Path, split: str, class_set: str, checks: Checks, *, workers: int = 1) -> Index:
    """Opens every file of a split once and returns the index.

    Raises:
        InputError: any defect; the message lists them all, with file names.
    """
    format_ = format_named(dataset)
    found = format_.find(root, split)
    if not found:
        layout = format_.layout.format(split=split)
        raise InputError(f"{root}: no samples of {dataset} {split!r} there; expected {layout}")
    table = format_.table(CLASS_SETS[class_set])
    inspect = partial(_inspect, root=root, table=table, num_classes=len(CLASS_SETS[class_set]), checks=checks)
    with ProcessPoolExecutor(workers) as pool:
        results = pool.map(inspect, found, chunksize=16)
        inspected = list(tqdm(results, total=len(found), desc=f"index {split}", unit="image", mininterval=5))
    samples = [sample for sample, _ in inspected if sample is not None]
    defects = [defect for _, defects in inspected for defect in defects]
    defects += _defects_of_the_whole(samples, checks)
    if defects:
        raise InputError(_report(f"{dataset} {split!r} under {root}", defects))
    return Index(dataset, str(root), split, class_set, samples)


def _inspect(
    sample: Sample, *, root: Path, table: IdTable, num_classes: int, checks: Checks
) -> tuple[IndexedSample | None, list[str]]:
    """The indexed sample, or ``None`` and its defects."""
    if sample.picture is None:
        return None, [f"{sample.label}: a label without its picture; expected it beside the others of the data set"]
    defects, size, label_size, pixels = [], (0, 0), None, None
    try:
        height, width = read_picture(sample.picture).shape[:2]
        size = (width, height)
    except InputError as error:
        defects.append(str(error))
    if sample.label is not None:
        try:
            ids = read_ids(sample.label, first_of_16_bits=table.first_of_16_bits)
        except InputError as error:
            defects.append(str(error))
        else:
            label_size = (ids.shape[1], ids.shape[0])
            pixels = np.bincount(table.train_ids[ids].ravel(), minlength=256)[:num_classes].tolist()
            if unknown := unknown_ids(ids, table):
                defects.append(f"{sample.label}: unknown label ids {unknown}; is it really this data set's format?")
            if size not in (label_size, (0, 0)) and checks.mismatched_labels == "error":
                defects.append(
                    f"{sample.label}: a label of {label_size[0]}x{label_size[1]} for a picture of {size[0]}x{size[1]}; "
                    "mend the file, or set mismatched_labels: resize to have such labels resized (nearest)"
                )
    elif checks.labels == "required":
        defects.append(f"{sample.picture}: a picture without its label; expected it beside the others of the data set")
    if defects:
        return None, defects
    return IndexedSample(
        id=sample.id,
        picture=sample.picture.relative_to(root).as_posix(),
        size=size,
        label=sample.label.relative_to(root).as_posix() if sample.label else None,
        label_size=None if label_size == size else label_size,
        pixels=pixels,
        picture_sha256=sha256_of_file(sample.picture),
        label_sha256=sha256_of_file(sample.label) if sample.label else None,
    ), []


def _defects_of_the_whole(samples: list[IndexedSample], checks: Checks) -> list[str]:
    """Defects that no single file shows."""
    defects = []
    sizes = Counter(sample.size for sample in samples)
    if checks.same_size and len(sizes) > 1:
        defects.append(f"pictures of {len(sizes)} sizes, such as {list(sizes)[:3]}; set `size` to bring them to one")
    if samples and checks.labels == "required" and not any(sum(sample.pixels or []) for sample in samples):
        defects.append("no pixel of any known class in any label")
    return defects


def _report(what: str, defects: list[str]) -> str:
    """The defects, one per line, cut to a screen."""
    lines = defects[:SHOWN_DEFECTS]
    if len(defects) > SHOWN_DEFECTS:
        lines.append(f"... and {len(defects) - SHOWN_DEFECTS} more")
    return f"{what}: {len(defects)} defect(s)\n  " + "\n  ".join(lines)
