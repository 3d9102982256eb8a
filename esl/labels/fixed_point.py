"""Values in [0, 1] as the uint16 codes that maps store: value = code / 65535; and histograms of such codes."""

import numpy as np
from numpy.typing import NDArray

CODES = 65536
"""The number of codes."""

TOP = CODES - 1
"""The code of the value 1."""

BLOCK = 16384
"""Pixels counted at a time: their cells stay in the cache."""


def nearest_codes(scaled: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Values times 65535 -> nearest codes; what rounding errors put outside of [0, 65535] is clipped."""
    return np.rint(np.clip(scaled, 0, TOP)).astype(np.uint16)


def count_codes(histogram: NDArray[np.int64], label: NDArray[np.uint8], codes: NDArray[np.uint16]) -> None:
    """Adds to ``histogram`` (C, 65536) int64, which is C-contiguous, how many pixels of each class hold each code.

    ``label`` and ``codes`` have one shape; ``label`` holds classes below C, never ``IGNORE``.
    """
    counts, flat_label, flat_codes = histogram.reshape(-1), label.reshape(-1), codes.reshape(-1)
    for start in range(0, flat_label.size, BLOCK):
        cells = flat_label[start : start + BLOCK].astype(np.intp)
        cells *= CODES
        cells += flat_codes[start : start + BLOCK]
        np.add.at(counts, cells, 1)  # in place: the 10 MB of a bincount would cost more than a small image
