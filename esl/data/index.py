"""The index of a dataset's split: the only source of later stages about its files, labels and classes."""

import json
from collections import Counter
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PlainValidator, ValidationError

from esl.classes import IGNORE, ClassSet, Encoding, IdTable, Label, id_table
from esl.data.images import DEPTH, CheckedFile, Resize, SizeWH, read_image, read_label
from esl.errors import InputError, explanations, one_line
from esl.files import read_json, sha256_of_lines

LONGEST_ID = 220
"""The bytes of the longest id: file systems take 255, and files of results append to it."""


@dataclass(frozen=True)
class IndexedSample:
    """A sample with sound files; paths are relative to the index's root."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    id: str
    image: str
    size_wh: SizeWH
    label: str | None
    label_size_wh: SizeWH | None  # if it differs from the image's: read_label resizes it (nearest)
    pixels: list[int] | None  # labelled pixels of each class
    image_sha256: str
    label_sha256: str | None


@dataclass(frozen=True, kw_only=True)
class Index:
    """The checked samples of one split of a dataset, and how to read their labels."""

    dataset: str
    root: str
    split: str
    class_set: ClassSet
    label_files: str | None  # the pattern of their paths, for messages; None: the dataset has no labels
    encoding: Encoding
    labels: tuple[Label, ...]
    samples: list[IndexedSample]
    left_out: tuple[str, ...] = ()
    """Images without a label, skipped because the config says so."""
    bits: int = DEPTH
    """The bits of the values in 16-bit images."""

    @cached_property
    def table(self) -> IdTable:
        """The look-up table from raw ids of this dataset to trainIds."""
        return id_table(self.labels, self.class_set, self.encoding)

    @cached_property
    def scored_table(self) -> IdTable:
        """``table`` with trainIds for foreign labels of the class set, too; they follow the trainIds of its classes."""
        return id_table(self.labels, self.class_set, self.encoding, foreign=True)

    @property
    def labelled(self) -> list[IndexedSample]:
        """The samples with a label."""
        return [sample for sample in self.samples if sample.label is not None]

    def image(self, sample: IndexedSample) -> CheckedFile:
        """The image file of ``sample``."""
        return CheckedFile(Path(self.root) / sample.image, sample.image_sha256, self.bits)

    def label(self, sample: IndexedSample) -> CheckedFile:
        """The label file of ``sample``; a sample without one is an error of the caller."""
        assert sample.label is not None and sample.label_sha256 is not None, sample.id
        return CheckedFile(Path(self.root) / sample.label, sample.label_sha256)

    def read_image(self, sample: IndexedSample, to: Resize = None) -> NDArray[np.uint8]:
        """The image of ``sample`` as RGB (H, W, 3) uint8, resized (bicubic) to ``to``.

        Raises:
            InputError: the file is missing, damaged, or has changed since it was indexed.
        """
        return read_image(self.image(sample), to)

    def read_label(self, sample: IndexedSample, size_wh: SizeWH | None = None) -> NDArray[np.uint8]:
        """The label of ``sample`` as trainIds (H, W) uint8, resized (nearest) to ``size_wh`` when given.

        Raises:
            InputError: the file is missing, damaged, or has changed since it was indexed.
        """
        return read_label(self.label(sample), self.table, size_wh)

    def read_scored_label(self, sample: IndexedSample) -> NDArray[np.uint8]:
        """The label of ``sample`` (H, W) uint8 by ``scored_table``, for evaluation; errors as of ``read_label``."""
        return read_label(self.label(sample), self.scored_table)

    def digests(self) -> dict[str, str]:
        """The SHA-256 of every image and label file by its path from the root."""
        images = {sample.image: sample.image_sha256 for sample in self.samples}
        labels = {s.label: s.label_sha256 for s in self.samples if s.label is not None and s.label_sha256 is not None}
        return images | labels

    def image_fingerprint(self) -> str:
        """SHA-256 over ids and image bytes, not labels: adaptation never reads target labels."""
        return sha256_of_lines([*(f"{sample.id} {sample.image_sha256}" for sample in self.samples), *self._scale()])

    def fingerprint(self) -> str:
        """SHA-256 over ids, image bytes, label bytes, class set, label names and ids, and their encoding."""
        files = [f"{s.id} {s.image_sha256} {s.label_sha256}" for s in self.samples]
        labels = [[label.id, label.name, *label.colour, *label.also] for label in self.labels]
        meaning = json.dumps([self.class_set.to_json(), self.encoding, labels])
        return sha256_of_lines([*files, meaning, *self._scale()])

    def _scale(self) -> list[str]:
        """The bits of values in images, for fingerprints, unless they are ``DEPTH``."""
        return [] if self.bits == DEPTH else [f"bits {self.bits}"]

    def class_pixels(self) -> dict[str, int]:
        """Labelled pixels of every class by name, over all samples."""
        labelled = [sample.pixels for sample in self.samples if sample.pixels is not None]
        totals = [sum(pixels) for pixels in zip(*labelled, strict=True)] or [0] * len(self.class_set)
        return dict(zip(self.class_set.classes, totals, strict=True))

    def sizes(self) -> dict[str, int]:
        """The number of images of each size, the most frequent first."""
        return {f"{w}x{h}": n for (w, h), n in Counter(sample.size_wh for sample in self.samples).most_common()}

    def sums(self) -> dict[str, Any]:
        """Counts and the fingerprint over all samples, as the index file holds them."""
        return {
            "images": len(self.samples),
            "labelled": len(self.labelled),
            "left_out": [*self.left_out],
            "sizes": self.sizes(),
            "class_pixels": self.class_pixels(),
            "resized_labels": [sample.id for sample in self.samples if sample.label_size_wh is not None],
            "fingerprint": self.fingerprint(),
        }

    def class_of(self, label: Label) -> str | None:
        """The class of ``label``; ``None``: it is ignored."""
        train_id = self.class_set.train_id(label)
        return None if train_id == IGNORE else self.class_set.classes[train_id]

    def to_json(self) -> dict[str, Any]:
        """The content of the index file; sums and the meaning of ids come first, for people."""
        return {
            "dataset": self.dataset,
            "root": self.root,
            "split": self.split,
            **self.sums(),
            "class_set": self.class_set.to_json(),
            "label_files": self.label_files,
            "encoding": self.encoding,
            "bits": self.bits,
            "labels": [
                {
                    "id": label.id,
                    "name": label.name,
                    "class": self.class_of(label),
                    "colour": [*label.colour],
                    "also": [*label.also],
                }
                for label in self.labels
            ],
            "samples": [asdict(sample) for sample in self.samples],
        }


def require_plain_id(id_: str) -> str:
    """``id_`` itself, if it can name result files.

    Raises:
        InputError: it is not a plain file name, so it could lead out of a folder; or it is too long for one.
    """
    if len(id_.encode(errors="replace")) > LONGEST_ID:
        raise InputError(
            f"sample id of {len(id_)} characters: expected {LONGEST_ID} bytes at most, since it names results; "
            "shorten the names of the file or its folders"
        )
    if id_ in ("", ".", "..") or "/" in id_ or "\\" in id_:
        raise InputError(f"sample id {id_!r}: expected a plain file name without folders; rename the file")
    return id_


class _Content(BaseModel):
    """The keys of an index file for ``Index``."""

    dataset: str
    root: str
    split: str
    class_set: Annotated[ClassSet, PlainValidator(ClassSet.from_json)]
    label_files: str | None
    encoding: Encoding
    labels: tuple[Label, ...]
    samples: list[IndexedSample]
    left_out: tuple[str, ...]
    bits: int = Field(DEPTH, ge=9, le=16)


def read_index(path: Path) -> Index:
    """The index in a file written from ``Index.to_json``.

    Raises:
        InputError: the file is damaged, of another version, or was edited: its content does not give the fingerprint
            or the sums in it, or a path leads out of its root.
    """
    content = read_json(path)
    try:
        index = Index(**dict(_Content.model_validate(content)))
        edited = any(content[key] != value for key, value in index.sums().items())
    except (KeyError, TypeError, IndexError, AttributeError, ValueError) as error:
        reason = next(explanations(error)) if isinstance(error, ValidationError) else one_line(repr(error))
        raise InputError(
            f"{path}: not an index of this version ({reason}); delete it and run the workflow again"
        ) from None
    if edited:
        raise InputError(f"{path}: edited or damaged since it was written; delete it and run the workflow again")
    for sample in index.samples:
        try:
            _check_sample(sample, index)
        except InputError as error:
            raise InputError(f"{path}: {one_line(error)}; delete it and run the workflow again") from None
    return index


def _check_sample(sample: IndexedSample, index: Index) -> None:
    """InputError for an impossible value outside of the fingerprint."""
    require_plain_id(sample.id)
    for name in filter(None, (sample.image, sample.label)):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts or "\0" in name:
            raise InputError(f"{name!r} leads out of {index.root}")
    if min(sample.size_wh + (sample.label_size_wh or sample.size_wh)) < 1:
        raise InputError(f"{sample.id!r} has no pixels")
    if sample.label is not None and None in (sample.label_sha256, sample.pixels):
        raise InputError(f"incomplete label entry for {sample.id!r}")
    if sample.pixels is not None and (len(sample.pixels) != len(index.class_set) or min(sample.pixels) < 0):
        raise InputError(f"wrong pixel counts for {sample.id!r}: expected {len(index.class_set)} of them")
