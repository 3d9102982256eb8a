"""Confusion matrix -> intersection over union."""

import numpy as np
import torch
from numpy.typing import NDArray

from esl.classes import IGNORE

NUM_COPIES = 4
"""Interleaved copies of the histogram while a confusion matrix is counted."""


def confusion_matrix(
    truth: NDArray[np.uint8], prediction: NDArray[np.uint8], num_classes: int, num_foreign: int = 0
) -> NDArray[np.int64]:
    """Pixel counts (C, C) int64, rows truth, columns prediction; pixels whose truth is ``IGNORE`` are left out.

    ``truth`` and ``prediction``, (H, W) or (N,) uint8, hold trainIds; ``prediction`` holds no ``IGNORE``. Truth may
    also be one of ``num_foreign`` foreign labels, which follow the classes: they are further rows, (C + F, C).

    Raises:
        ValueError: the shapes differ, or a value is not a class.

    >>> confusion_matrix(np.array([0, 1, 1, 255], np.uint8), np.array([0, 0, 1, 1], np.uint8), 2).tolist()
    [[1, 0], [1, 1]]
    """
    if truth.shape != prediction.shape:
        raise ValueError(f"Expected truth and prediction of one shape, but got {truth.shape} and {prediction.shape}")
    if prediction.size and prediction.max() >= num_classes:
        raise ValueError(f"Expected predictions below {num_classes}, but got {prediction.max()}")
    counts = _bincount_pairs(truth, prediction, num_classes)
    rows = num_classes + num_foreign
    if counts[rows:IGNORE].any():
        raise ValueError(f"Expected truth below {rows}, or {IGNORE}, but got {np.unique(truth).tolist()}")
    return counts[:rows]


def _bincount_pairs(truth: NDArray[np.uint8], prediction: NDArray[np.uint8], num_classes: int) -> NDArray[np.int64]:
    """Pixels of each pair of a true value and a predicted class: (256, C) int64.

    Every pixel is counted: filtering out the ignored ones first would cost more than counting them in cells of their
    own. Neighbouring pixels mostly share a cell, and additions to one place wait for each other: so neighbours are
    counted in different copies of the cells.
    """
    num_cells = 256 * num_classes
    kind = np.int16 if NUM_COPIES * num_cells <= 2**15 else np.int32
    cells = np.multiply(truth, num_classes, dtype=kind)
    cells += prediction
    cells += np.arange(cells.shape[-1], dtype=kind) % NUM_COPIES * num_cells
    counts = torch.bincount(torch.from_numpy(cells).reshape(-1), minlength=NUM_COPIES * num_cells)
    pairs: NDArray[np.int64] = counts.reshape(NUM_COPIES, 256, num_classes).sum(0).numpy()
    return pairs


def intersection_over_union(confusion: NDArray[np.int64]) -> list[float | None]:
    """IoU per class of a confusion matrix (C, C): true positives / (truth + prediction - true positives), a fraction.

    Rows of foreign labels (C + F, C) make what is predicted there an error. ``None`` for a class that is absent from
    both truth and prediction: the mean leaves it out.
    """
    hits = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion[: len(hits)].sum(axis=1) - hits
    return [int(hit) / int(all_) if all_ else None for hit, all_ in zip(hits, union, strict=True)]


def mean_iou(iou: list[float | None]) -> float | None:
    """The mean over the classes that have an IoU; ``None`` when none has.

    >>> mean_iou([0.5, None, 1.0])
    0.75
    """
    present = [value for value in iou if value is not None]
    return sum(present) / len(present) if present else None


def pixel_accuracy(confusion: NDArray[np.int64]) -> float | None:
    """The fraction of labelled pixels of a confusion matrix (C, C) predicted right; ``None`` without pixels."""
    total = int(confusion.sum())
    return int(np.trace(confusion)) / total if total else None
