"""The confusion matrix of every image that a model was scored on, and confusions.npz, the file that keeps them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from esl.classes import ClassSet
from esl.errors import InputError, one_line
from esl.evaluation.contents import ModelScores
from esl.files import atomic_path

AGAIN = "delete both and run the workflow again"

Counts = NDArray[np.int64]


class IouCounts(NamedTuple):
    """Pixels (N, C) of every image and class: the IoU over any images is their sum of hits / their sum of unions."""

    hits: Counts  # correct pixels
    unions: Counts  # pixels whose truth or prediction is the class


@dataclass(frozen=True, kw_only=True)
class Confusions:
    """Confusion matrices of N images, rows truth: C classes and then F foreign labels, columns C predicted classes.

    Only cells with pixels are held. They are sorted by image, then by place in the matrix.
    """

    ids: tuple[str, ...]
    images: tuple[str, ...]  # their paths from the root of the data
    shape: tuple[int, int]  # (C + F, C)
    sets: Mapping[str, NDArray[np.bool_]]  # the classes (C,) of every named class set
    image: Counts  # (K,) the number of the image of each cell
    cell: Counts  # (K,) its place in the flattened matrix
    pixels: Counts  # (K,)
    labels_sha256: str  # the fingerprint of the index
    drawn_at_random: bool = False
    """Whether the images are independent random draws of the target; if not, neighbours may resemble each other."""

    @classmethod
    def of(
        cls,
        samples: Iterable[tuple[str, str]],
        matrices: Iterable[Counts],
        class_set: ClassSet,
        labels_sha256: str,
        *,
        drawn_at_random: bool = False,
    ) -> Self:
        """The matrices (C + F, C) int64 of ``samples``, each an id and the path of an image, in the same order."""
        sets = {class_set.name: class_set.classes} | dict(class_set.subsets)
        names = [*samples]
        cells, pixels = [], []
        for matrix in matrices:
            cells.append(np.flatnonzero(matrix))
            pixels.append(matrix.ravel()[cells[-1]])
        assert len(cells) == len(names), (len(cells), len(names))
        empty = np.zeros(0, dtype=np.int64)
        return cls(
            ids=tuple(id_ for id_, _ in names),
            images=tuple(image for _, image in names),
            shape=(len(class_set) + len(class_set.foreign), len(class_set)),
            sets={name: np.isin(class_set.classes, classes) for name, classes in sets.items()},
            image=np.repeat(np.arange(len(names)), [len(own) for own in cells]),
            cell=np.concatenate([empty, *cells]),
            pixels=np.concatenate([empty, *pixels]),
            labels_sha256=labels_sha256,
            drawn_at_random=drawn_at_random,
        )

    def total(self) -> Counts:
        """The sum of all matrices, (C + F, C) int64."""
        total = np.zeros(self.shape, dtype=np.int64)
        np.add.at(total.reshape(-1), self.cell, self.pixels)
        return total

    @property
    def labelled(self) -> NDArray[np.bool_]:
        """The classes (C,) with a pixel of truth in any image."""
        labelled: NDArray[np.bool_] = self.total()[: self.shape[1]].sum(axis=1) > 0
        return labelled

    def iou_counts(self, *, foreign: bool = False) -> IouCounts:
        """The hits and unions of every image; with ``foreign``, pixels of foreign labels count as errors too."""
        row, column = np.divmod(self.cell, self.shape[1])
        own, right = row < self.shape[1], row == column
        counts = IouCounts(*(np.zeros((len(self.ids), self.shape[1]), dtype=np.int64) for _ in range(2)))
        for pixels, of, class_ in (
            (counts.hits, right, row),
            (counts.unions, own | foreign, column),  # predicted as the class
            (counts.unions, own & ~right, row),  # of the class, and missed
        ):
            np.add.at(pixels, (self.image[of], class_[of]), self.pixels[of])
        return counts


def confusions_path(scores: Path) -> Path:
    """The file of the matrices next to ``scores``, a model's miou.json."""
    return scores.with_name("confusions.npz")


def write_confusions(path: Path, confusions: Confusions) -> None:
    """Writes confusions.npz: the fields of ``confusions`` as compressed arrays; equal content gives equal bytes."""
    with atomic_path(path) as part, part.open("wb") as file:
        np.savez_compressed(
            file,
            ids=np.array(confusions.ids, dtype=np.str_),
            images=np.array(confusions.images, dtype=np.str_),
            shape=np.array(confusions.shape, dtype=np.int64),
            sets=np.array([*confusions.sets], dtype=np.str_),
            members=np.array([*confusions.sets.values()], dtype=np.bool_),
            image=confusions.image.astype(np.int32),
            cell=confusions.cell.astype(np.int32),
            pixels=confusions.pixels,
            labels_sha256=np.array(confusions.labels_sha256),
            drawn_at_random=np.array(confusions.drawn_at_random),
        )


def read_confusions(path: Path) -> Confusions:
    """Reads a confusions.npz.

    Raises:
        InputError: the file is missing or damaged, or a value is impossible.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run the stage that writes it: snakemake {path}")
    try:
        confusions = _read(path)
        _check(confusions)
    except Exception as error:  # of zip, zlib, NumPy, and the tokenizer that reads NumPy's headers: a dozen kinds
        reason = one_line(error) if isinstance(error, ValueError) else "its archive is damaged"
        raise InputError(
            f"{path}: not the confusion matrices of a model's images ({reason}); delete it and run the workflow again"
        ) from None
    return confusions


def _read(path: Path) -> Confusions:
    """The fields as they stand in the file; ValueError where one has another type or number of axes."""
    with np.load(path, allow_pickle=False) as arrays:
        if not isinstance(arrays, np.lib.npyio.NpzFile):
            raise ValueError("expected an archive of arrays")

        def array(name: str, kind: str, axes: int) -> NDArray[np.generic]:
            if (found := arrays[name]).dtype.kind != kind or found.ndim != axes:
                raise ValueError(f"{name}: expected {axes} axes of kind {kind!r}")
            return found

        return Confusions(
            ids=tuple(array("ids", "U", 1).tolist()),
            images=tuple(array("images", "U", 1).tolist()),
            shape=tuple(array("shape", "i", 1).tolist()),
            sets=dict(zip(array("sets", "U", 1).tolist(), array("members", "b", 2), strict=True)),
            image=array("image", "i", 1).astype(np.int64),
            cell=array("cell", "i", 1).astype(np.int64),
            pixels=array("pixels", "i", 1).astype(np.int64),
            labels_sha256=str(array("labels_sha256", "U", 0)),
            drawn_at_random=bool(array("drawn_at_random", "b", 0)),
        )


def _check(confusions: Confusions) -> None:
    """ValueError for a value that no writer writes."""
    ids, shape = confusions.ids, confusions.shape
    image, cell, pixels = confusions.image, confusions.cell, confusions.pixels
    if len(shape) != 2 or not 2 <= shape[1] <= shape[0] <= 255:
        raise ValueError("shape: expected at least as many rows as columns")
    if not confusions.sets or any(members.shape != shape[1:] for members in confusions.sets.values()):
        raise ValueError("members: expected the classes of each of sets")
    if len(set(ids)) < len(ids) or len(ids) != len(confusions.images):
        raise ValueError("ids: expected different ones, one for each image")
    if not len(image) == len(cell) == len(pixels):
        raise ValueError("image, cell, pixels: expected the same number of each")
    place = image * (shape[0] * shape[1]) + cell
    if len(image) and not (image.min() >= 0 and image.max() < len(ids) and cell.min() >= 0):
        raise ValueError("image: expected numbers of images")
    if len(cell) and (cell.max() >= shape[0] * shape[1] or (np.diff(place) <= 0).any()):
        raise ValueError("cell: expected places in the matrix, in order")
    if len(pixels) and (pixels.min() < 1 or pixels.max() > 2**40):
        raise ValueError("pixels: expected at least 1 in each cell that is held")
    if not re.fullmatch("[0-9a-f]{64}", confusions.labels_sha256):
        raise ValueError("labels_sha256: expected a digest")


def read_confusions_of(path: Path, scores: ModelScores) -> Confusions:
    """Reads the matrices next to ``path``, the miou.json that holds ``scores``, and checks that these follow from them.

    Raises:
        InputError: as ``read_confusions``; or they are of other labels or images, or do not add up to the confusion
            matrix of ``scores``.
    """
    confusions = read_confusions(own := confusions_path(path))
    if confusions.labels_sha256 != scores.labels_sha256 or len(confusions.ids) != scores.images:
        raise InputError(f"{own}: of other images or labels than {path.name} next to it; {AGAIN}")
    if confusions.total().tolist() != [*scores.confusion, *scores.foreign.values()]:
        raise InputError(f"{own}: does not add up to the confusion matrix of {path.name} next to it; {AGAIN}")
    return confusions
