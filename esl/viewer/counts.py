"""Exact numbers behind a slider: pixels of each predicted class at each level, and how many of them are right.

Shape suffixes: C classes, P classes that the image is predicted to hold, L levels; the last axis of counts is
unlabelled, wrong, right.
"""

import base64
import zlib

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.viewer.levels import Scale

UNLABELLED, WRONG, RIGHT = range(3)


def verdicts(prediction: NDArray[np.uint8], truth: NDArray[np.uint8] | None) -> NDArray[np.uint8]:
    """The verdict of labels (H, W) on each predicted pixel: ``UNLABELLED``, ``WRONG`` or ``RIGHT``."""
    if truth is None:
        return np.zeros_like(prediction)
    return np.where(truth == IGNORE, UNLABELLED, np.where(truth == prediction, RIGHT, WRONG)).astype(np.uint8)


def counted(
    prediction: NDArray[np.uint8], verdict: NDArray[np.uint8], codes: NDArray[np.uint16], scale: Scale, num_classes: int
) -> NDArray[np.int64]:
    """Pixels of one image by class, level and verdict: (C, L, 3)."""
    levels = len(scale.edges)
    cells = prediction.astype(np.int32)
    cells *= levels
    cells += scale.level_of_code[codes]
    cells *= 3
    cells += verdict
    counts = np.bincount(cells.ravel(), minlength=num_classes * levels * 3)
    return counts.reshape(num_classes, levels, 3)


def squeezed(counts: list[NDArray[np.int64]], classes: list[int]) -> str:
    """Counts of every measure, of ``classes`` only, for the page: byte planes of 32-bit numbers, deflated, in base64.

    The numbers stand in the order measure, class, level, verdict; all lowest bytes come first, the highest last.
    """
    numbers = np.concatenate([values[classes].ravel() for values in counts]).astype("<u4")
    planes = np.ascontiguousarray(numbers.view(np.uint8).reshape(-1, 4).T)
    return base64.b64encode(zlib.compress(planes.tobytes(), 6)).decode("ascii")
