"""Values in [0, 1] as the uint16 codes that maps store: value = code / 65535; and histograms of such codes."""

import numpy as np
from numpy.typing import NDArray

CODES = 65536
"""How many codes there are."""

TOP = CODES - 1
"""The code of the value 1."""


def count_codes(histogram: NDArray[np.int64], label: NDArray[np.uint8], codes: NDArray[np.uint16]) -> None:
    """Adds to ``histogram`` (C, 65536) int64, which is C-contiguous, how many pixels of each class hold each code.

    ``label`` and ``codes`` have one shape; ``label`` holds classes below C, never ``IGNORE``.
    """
    cells = label.ravel().astype(np.intp) * CODES + codes.ravel()
    np.add.at(histogram.reshape(-1), cells, 1)  # in place: a bincount's 10 MB would cost more than a small picture
