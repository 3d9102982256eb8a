"""Probabilities at the size of an image, without PyTorch: bilinear upsampling in tiles that stay in the cache.

The planes of all classes at full resolution (40 MB for 1024 x 512 pixels) never exist.

Shape suffixes: C classes, h w at the network's stride, r rows of a tile, H W at the output size.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

TILE_VALUES = 160_000
"""Probabilities in a tile, 0.6 MB of float32: measured fastest between 40 thousand and 10 million."""


def upsampled_tiles(
    probability_Chw: NDArray[np.float32], size_hw: tuple[int, int]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Rows of the output and their upsampled values (C, r, W), tile by tile: bilinear, corners aligned.

    A tile is valid until the next one is drawn, and may be overwritten. It never crosses a row of the input, so that
    upsampling it is one multiplication and one addition.
    """
    (height, width), (num_classes, old_height, old_width) = size_hw, probability_Chw.shape
    left, part = _places(old_width, width)
    right = np.minimum(left + 1, old_width - 1)

    def wide(row: int) -> NDArray[np.float32]:
        """A row of the input, upsampled to the width of the output: (C, W)."""
        narrow = probability_Chw[:, min(row, old_height - 1)]
        before: NDArray[np.float32] = narrow.take(left, axis=1)
        after: NDArray[np.float32] = narrow.take(right, axis=1)
        after -= before
        after *= part
        after += before
        return after

    low, depth = _places(old_height, height)
    buffer = tile_buffer(num_classes, width)
    above, top, below = -1, wide(0), wide(0)
    start = 0
    while start < height:
        if low[start] != above:
            top = below if low[start] == above + 1 else wide(low[start])
            above, below = low[start], wide(low[start] + 1)
            step = below - top
        stop = min(int(np.searchsorted(low, above, side="right")), start + buffer.shape[1])
        tile = buffer[:, : stop - start]
        np.multiply(depth[start:stop, None], step[:, None], out=tile)
        tile += top[:, None]
        yield slice(start, stop), tile
        start = stop


def tile_buffer(num_classes: int, width: int) -> NDArray[np.float32]:
    """Memory (C, r, W) float32 for the tallest tile, not initialised."""
    return np.empty((num_classes, max(1, TILE_VALUES // (num_classes * width)), width), dtype=np.float32)


def _places(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """For ``new`` positions over ``old`` ones, corners aligned: the old one before each, and the distance from it."""
    place = np.arange(new) * ((old - 1) / max(new - 1, 1))
    low = np.minimum(place.astype(np.intp), max(old - 2, 0))
    return low, (place - low).astype(np.float32)


def best_class(tile_CrW: NDArray[np.float32], best_rW: NDArray[np.float32]) -> NDArray[np.uint8]:
    """argmax over the classes, given the maxima ``best_rW``: the first of equals; faster than numpy's own."""
    num_classes = len(tile_CrW)
    marks = (tile_CrW == best_rW).view(np.uint8)
    marks *= np.arange(num_classes, 0, -1, dtype=np.uint8)[:, None, None]
    label: NDArray[np.uint8] = num_classes - marks.max(axis=0)
    return label
