"""The index of a data set: what later stages know of it, and all that they need to read it."""

from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet, Encoding, IdTable, Label, id_table
from esl.data.images import Size, read_label
from esl.errors import InputError
from esl.files import read_json, sha256_of_lines


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
    """All samples of one split of a data set, checked, and how their labels read."""

    dataset: str
    root: str
    split: str
    class_set: ClassSet
    label_files: str | None  # the pattern of their paths, for people; None: the data set has no labels
    encoding: Encoding
    labels: tuple[Label, ...]
    samples: list[IndexedSample]
    left_out: tuple[str, ...] = ()
    """Pictures that have no label and were left out, as the config asked."""

    @cached_property
    def table(self) -> IdTable:
        """How raw ids of this data set become trainIds."""
        return id_table(self.labels, self.class_set, self.encoding)

    @property
    def labelled(self) -> list[IndexedSample]:
        """The samples that have a label."""
        return [sample for sample in self.samples if sample.label is not None]

    def picture(self, sample: IndexedSample) -> Path:
        """Where the picture of ``sample`` lies."""
        return Path(self.root) / sample.picture

    def label(self, sample: IndexedSample) -> Path:
        """Where the label of ``sample`` lies; asking for one that does not exist is an error of the caller."""
        assert sample.label is not None, sample.id
        return Path(self.root) / sample.label

    def read_label(self, sample: IndexedSample, size: Size | None = None) -> NDArray[np.uint8]:
        """The label of ``sample`` as trainIds (H, W) uint8, resized (nearest) to ``size`` when given."""
        return read_label(self.label(sample), self.table, size)

    def picture_fingerprint(self) -> str:
        """SHA-256 over ids and picture bytes; it says nothing of labels, which adaptation never reads on the target."""
        return sha256_of_lines([f"{sample.id} {sample.picture_sha256}" for sample in self.samples])

    def fingerprint(self) -> str:
        """SHA-256 over ids, picture bytes and label bytes."""
        return sha256_of_lines([f"{s.id} {s.picture_sha256} {s.label_sha256}" for s in self.samples])

    def class_pixels(self) -> dict[str, int]:
        """Labelled pixels of every class by name, over all samples."""
        labelled = [sample.pixels for sample in self.samples if sample.pixels is not None]
        totals = [sum(pixels) for pixels in zip(*labelled, strict=True)] or [0] * len(self.class_set)
        return dict(zip(self.class_set.classes, totals, strict=True))

    def sizes(self) -> dict[str, int]:
        """How many pictures have each size, the most frequent first."""
        return {f"{w}x{h}": n for (w, h), n in Counter(sample.size for sample in self.samples).most_common()}

    def meaning(self, label: Label) -> str | None:
        """The class that ``label`` is part of; ``None``: it is ignored."""
        train_id = self.class_set.train_id(label)
        return None if train_id == IGNORE else self.class_set.classes[train_id]

    def to_json(self) -> dict[str, Any]:
        """What the index file holds; sums, reconciled sizes and the reading of labels first, for people who open it."""
        return {
            "dataset": self.dataset,
            "root": self.root,
            "split": self.split,
            "pictures": len(self.samples),
            "labelled": len(self.labelled),
            "left_out": [*self.left_out],
            "sizes": self.sizes(),
            "class_pixels": self.class_pixels(),
            "resized_labels": [sample.id for sample in self.samples if sample.label_size is not None],
            "fingerprint": self.fingerprint(),
            "class_set": self.class_set.to_json(),
            "label_files": self.label_files,
            "encoding": self.encoding,
            "labels": [
                {
                    "id": label.id,
                    "name": label.name,
                    "class": self.meaning(label),
                    "colour": [*label.colour],
                    "also": [*label.also],
                }
                for label in self.labels
            ],
            "samples": [asdict(sample) for sample in self.samples],
        }


def read_index(path: Path) -> Index:
    """The index in a file written from ``Index.to_json``; InputError when it is damaged or of another version."""
    content = read_json(path)
    try:
        return Index(
            content["dataset"],
            content["root"],
            content["split"],
            ClassSet.from_json(content["class_set"]),
            content["label_files"],
            content["encoding"],
            tuple(_label(entry) for entry in content["labels"]),
            [_sample(entry) for entry in content["samples"]],
            tuple(content["left_out"]),
        )
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise InputError(
            f"{path}: not an index of this version ({error!r}); delete it and run the workflow again"
        ) from None


def _label(entry: dict[str, Any]) -> Label:
    red, green, blue = entry["colour"]
    return Label(entry["id"], entry["name"], colour=(red, green, blue), also=tuple(entry["also"]))


def _sample(entry: dict[str, Any]) -> IndexedSample:
    label_size = entry["label_size"] and tuple(entry["label_size"])
    return IndexedSample(**{**entry, "size": tuple(entry["size"]), "label_size": label_size})
