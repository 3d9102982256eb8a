"""The images of a round that a gallery shows, chosen by rule, so that nobody picks the nice ones."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.data.images import read_label
from esl.data.index import Index, IndexedSample
from esl.labels.manifest import PseudoLabels
from esl.labels.png import checked_files, train_id_table
from esl.prefetch import prefetch

ENOUGH = 0.01
"""Share of an image that must be kept for its accuracy to be ranked: the accuracy of a few pixels is chance."""

RARE_CLASSES = 2
"""How many of the rarest classes get an image of their own."""


@dataclass
class Survey:
    """Kept shares, accuracies and classes of the pseudo-labels of a round, image by image."""

    kept: Mapping[str, float]
    """Id -> share of pixels kept."""
    accuracy: dict[str, float] = field(default_factory=dict)
    """Id -> share of the kept pixels that are right, where the image is labelled and enough is kept."""
    pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    """(C) pixels of each class in all images: true ones where the target is labelled, else pseudo-labels."""
    richest: dict[int, str] = field(default_factory=dict)
    """TrainId -> the image with most pixels of the class."""


def survey(index: Index, manifest: PseudoLabels, folder: Path, *, workers: int = 1) -> Survey:
    """Reads every pseudo-label of a round from ``folder``, and the label of the same image where there is one.

    Raises:
        InputError: a pseudo-label is missing or has changed.
    """
    files, table = checked_files(manifest.files, folder), train_id_table(index.class_set)
    num_classes = len(index.class_set)

    def read(sample: IndexedSample) -> tuple[str, float | None, NDArray[np.int64]]:
        label = read_label(files[sample.id], table)
        if sample.label is None or sample.pixels is None:
            return sample.id, None, np.bincount(label.ravel(), minlength=256)[:num_classes]
        truth = index.read_label(sample, (label.shape[1], label.shape[0]))
        return sample.id, accuracy_of(label, truth), np.array(sample.pixels, dtype=np.int64)

    chosen = index.labelled or index.samples
    kept = {id_: entry.kept for id_, entry in manifest.files.items()}
    found = Survey(kept, pixels=np.zeros(num_classes, np.int64))
    most = np.zeros(num_classes, dtype=np.int64)
    for id_, accuracy, pixels in prefetch(read, chosen, workers):
        if accuracy is not None and found.kept[id_] >= ENOUGH:
            found.accuracy[id_] = accuracy
        found.pixels += pixels
        for class_ in np.flatnonzero(pixels > most):
            most[class_], found.richest[int(class_)] = pixels[class_], id_
    return found


def accuracy_of(label: NDArray[np.uint8], truth: NDArray[np.uint8]) -> float | None:
    """The share of the labelled pixels kept that are right; ``None`` where none is kept. Both (H, W), of trainIds."""
    kept = (label != IGNORE) & (truth != IGNORE)
    pixels = int(kept.sum())
    return int((kept & (label == truth)).sum()) / pixels if pixels else None


def choose(found: Survey, classes: tuple[str, ...], most: int) -> dict[str, list[str]]:
    """Id -> why it is shown, for at most ``most`` images, in the order of a gallery.

    By kept share the most, the median and the least; by accuracy the same, where it is known; and the images with most
    pixels of the rarest classes. An image that is chosen twice is shown once, with both reasons.
    """
    reasons: dict[str, list[str]] = {}
    for id_, reason in _reasons(found, classes):
        if id_ in reasons or len(reasons) < most:
            reasons.setdefault(id_, []).append(reason)
    return reasons


def _reasons(found: Survey, classes: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    yield from _ranked(found.kept, ("most pixels kept", "median share kept", "fewest pixels kept"))
    if found.accuracy:
        yield from _ranked(found.accuracy, ("most accurate", "median accuracy", "least accurate"))
    rare = sorted((int(found.pixels[class_]), class_) for class_ in found.richest)
    for place, (_, class_) in enumerate(rare[:RARE_CLASSES]):
        yield found.richest[class_], f"most of {classes[class_]}, the {('rarest', 'second rarest')[place]} class"


def _ranked(values: Mapping[str, float], names: tuple[str, str, str]) -> Iterable[tuple[str, str]]:
    """The first, the middle and the last by value; equal values by id."""
    order = sorted(values, key=lambda id_: (-values[id_], id_))
    return zip((order[0], order[len(order) // 2], order[-1]), names, strict=True)
