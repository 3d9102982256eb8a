"""Pseudo-label PNGs and their manifest: written from maps and thresholds, checked by the training that reads them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from esl.ahead import ahead
from esl.classes import CLASS_SETS, IGNORE, ClassSet, IdTable
from esl.datasets.index import Index, IndexedSample
from esl.datasets.reading import read_label
from esl.errors import InputError
from esl.files import beside, sha256_of_file
from esl.fixed_point import CODES, count_codes
from esl.maps import MEASURES, open_shard
from esl.rules import Rule
from esl.selection import pseudo_label

Maps = dict[str, NDArray[Any]]

COVERAGES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
"""Shares of each predicted class at which the two measures of confidence are compared."""


def png_path(folder: Path, id_: str) -> Path:
    """Where the pseudo-label of ``id_`` lies; InputError for an id that would climb out of ``folder``."""
    if id_ in ("", ".", "..") or Path(id_).name != id_ or "\\" in id_:
        raise InputError(f"sample id {id_!r}: expected a plain file name without folders; mend the index")
    return folder / f"{id_}.png"


def write_png(path: Path, label: NDArray[np.uint8], class_set: ClassSet) -> None:
    """Writes trainIds (H, W) uint8 as an 8-bit indexed PNG: the index is the trainId, the colours are the palette's."""
    image = Image.fromarray(label)
    image.putpalette(class_set.palette())
    with beside(path) as part:
        image.save(part, format="PNG", compress_level=3)  # half the time of 6, a third larger: see benchmarks


def train_id_table(class_set: ClassSet) -> IdTable:
    """How the ids of a pseudo-label PNG read: as the trainIds they are, or ``IGNORE``."""
    known = np.zeros(256, dtype=np.bool_)
    known[: len(class_set)] = True
    known[IGNORE] = True
    return IdTable(np.where(known, np.arange(256), IGNORE).astype(np.uint8), known)


def write_pseudo_labels(
    shards: list[Path],
    thresholds: Sequence[float | None],
    rule: Rule,
    index: Index,
    folder: Path,
    *,
    workers: int = 1,
) -> dict[str, Any]:
    """Writes one PNG per image of every shard and returns the manifest's ``files``, ``classes``, ``kept``, ``quality``.

    ``thresholds`` (C) are the ``Threshold.value`` of every class. Labels of the target, where they exist, are read for
    ``quality`` only: nothing that training sees depends on them. ``workers`` threads mask and compress.

    Raises:
        InputError: the shards do not hold exactly the samples of the index, or not the maps that the rule reads.
    """
    class_set = CLASS_SETS[index.class_set]
    samples = {sample.id: sample for sample in index.samples}
    table = index.table()

    def write(image: tuple[str, Maps]) -> tuple[str, str, NDArray[np.uint8], NDArray[np.uint8] | None, Maps]:
        id_, maps = image
        label = pseudo_label(maps, thresholds, rule)
        png = png_path(folder, id_)
        write_png(png, label, class_set)
        truth = None
        if samples[id_].label is not None:
            truth = read_label(index.label(samples[id_]), table, (label.shape[1], label.shape[0]))
        return id_, sha256_of_file(png), label, truth, maps

    quality = Quality(len(class_set))
    kept_pixels = np.zeros(256, dtype=np.int64)
    files: dict[str, dict[str, Any]] = {}
    for id_, digest, label, truth, maps in ahead(write, _images(shards, samples, rule), workers):
        pixels = np.bincount(label.ravel(), minlength=256)
        kept_pixels += pixels
        files[id_] = {"sha256": digest, "kept": 1 - int(pixels[IGNORE]) / label.size}
        if truth is not None:
            quality.add(truth, label, maps)
    if missing := samples.keys() - files.keys():
        raise InputError(f"{shards[0].parent}: no maps of {len(missing)} samples such as {min(missing)!r}; infer again")
    for stale in set(folder.glob("*.png")) - {png_path(folder, id_) for id_ in files}:
        stale.unlink()
    classes = {name: int(pixels) for name, pixels in zip(class_set.classes, kept_pixels, strict=False)}
    return {
        "images": len(files),
        "kept": sum(classes.values()) / int(kept_pixels.sum()),
        "kept_pixels": classes,
        "quality": quality.summary(class_set) if quality.images else None,
        "files": dict(sorted(files.items())),
    }


def _images(shards: list[Path], samples: Mapping[str, IndexedSample], rule: Rule) -> Iterator[tuple[str, Maps]]:
    """Every image of the shards with the maps that the rule reads, and of labelled ones those that judge it."""
    seen = set()
    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for path in shards:
            with open_shard(path) as shard:
                judging = {measure for measure in MEASURES if shard.holds(measure)}
                for row, id_ in enumerate(shard.ids):
                    if id_ not in samples or id_ in seen:
                        reason = "which another shard holds too" if id_ in seen else "which the index does not"
                        raise InputError(f"{path}: holds {id_!r}, {reason}; delete the folder and infer again")
                    seen.add(id_)
                    yield id_, shard.maps(row, {*rule.maps} | (judging if samples[id_].label else set()))
                    bar.update()


def checked_files(manifest: dict[str, Any], folder: Path) -> dict[str, Path]:
    """Sample id -> pseudo-label PNG, after every file was compared with its digest in the manifest.

    Raises:
        InputError: a file is missing or was changed; the message names each and how to mend it.
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
    return paths


@dataclass
class Quality:
    """Counts of pseudo-labels against target labels: a diagnosis, never used for training or selection."""

    num_classes: int
    images: int = 0
    truth: NDArray[np.int64] = field(init=False)  # (C) labelled pixels of each true class
    covered: NDArray[np.int64] = field(init=False)  # (C) of them with a pseudo-label
    kept: NDArray[np.int64] = field(init=False)  # (C) labelled pixels pseudo-labelled as the class
    right: NDArray[np.int64] = field(init=False)  # (C) of them rightly
    ranked: dict[str, NDArray[np.int64]] = field(init=False)  # measure -> (2, C, 65536): all and rightly predicted

    def __post_init__(self) -> None:
        for name in ("truth", "covered", "kept", "right"):
            setattr(self, name, np.zeros(self.num_classes, dtype=np.int64))
        self.ranked = {measure: np.zeros((2, self.num_classes, CODES), dtype=np.int64) for measure in MEASURES}

    def add(self, truth: NDArray[np.uint8], label: NDArray[np.uint8], maps: Maps) -> None:
        """Counts one image: true trainIds, its pseudo-label, and of the maps behind it those that there are (H, W)."""
        self.images += 1
        labelled = truth != IGNORE
        chosen = labelled & (label != IGNORE)
        prediction = maps["label"]
        for name, classes in (
            ("truth", truth[labelled]),
            ("covered", truth[chosen]),
            ("kept", label[chosen]),
            ("right", label[chosen & (label == truth)]),
        ):
            setattr(self, name, getattr(self, name) + np.bincount(classes, minlength=self.num_classes))
        for measure in self.ranked.keys() & maps.keys():
            for counts, pixels in zip(self.ranked[measure], (labelled, truth == prediction), strict=True):
                count_codes(counts, prediction[pixels], maps[measure][pixels])

    def summary(self, class_set: ClassSet) -> dict[str, Any]:
        """Accuracy (of what is kept) and coverage (of what is there), in all and per class; ``None`` for 0 / 0."""
        rows = zip(class_set.classes, self.truth, self.covered, self.kept, self.right, strict=True)
        return {
            "labelled_images": self.images,
            "accuracy": _share(self.right.sum(), self.kept.sum()),
            "coverage": _share(self.covered.sum(), self.truth.sum()),
            "classes": {
                name: {"accuracy": _share(right, kept), "coverage": _share(covered, truth)}
                for name, truth, covered, kept, right in rows
            },
            "accuracy_at_coverage": {
                measure: {
                    str(coverage): accuracy_at(coverage, *counts, best="low" if measure == "entropy" else "high")
                    for coverage in COVERAGES
                }
                for measure, counts in self.ranked.items()
            },
        }


def accuracy_at(
    coverage: float, everything: NDArray[np.int64], rightly: NDArray[np.int64], *, best: str
) -> float | None:
    """The accuracy of the most confident ``coverage`` of each predicted class, from histograms (C, K) of one measure.

    ``best`` tells whether "low" or "high" codes are the confident ones. A code that straddles the cut counts in part.
    """
    if best == "high":
        everything, rightly = everything[:, ::-1], rightly[:, ::-1]
    wanted = everything.sum(axis=1, keepdims=True) * coverage
    before = np.cumsum(everything, axis=1) - everything
    part = np.clip((wanted - before) / np.maximum(everything, 1), 0, 1)  # of each code that is taken
    return _share(float((part * rightly).sum()), float((part * everything).sum()))


def _share(part: float, whole: float) -> float | None:
    return float(part / whole) if whole else None
