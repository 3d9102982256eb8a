"""Values in [0, 1] as the uint16 codes that maps store: value = code / 65535; and histograms of such codes."""

import numpy as np
from numpy.typing import NDArray

CODES = 65536
"""How many codes there are."""

TOP = CODES - 1
"""The code of the value 1."""


def code_histogram(label: NDArray[np.uint8], codes: NDArray[np.uint16], num_classes: int) -> NDArray[np.int64]:
    """How many pixels of each class hold each code: (num_classes, 65536) int64.

    ``label`` and ``codes`` have one shape; ``label`` holds classes below ``num_classes``, never ``IGNORE``.
    """
    cells = label.ravel().astype(np.int64) * CODES + codes.ravel()
    return np.bincount(cells, minlength=num_classes * CODES).reshape(num_classes, CODES)
