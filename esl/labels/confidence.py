"""Network output -> label, entropy and maximum probability per pixel, and their fixed-point codes.

Two forms of one computation: ``plain_confidence_maps`` is PyTorch as one would write it down, on any device, and what
tests compare with; ``confidence_maps`` is what stages call. On the CPU it goes through the picture in tiles that stay
in the cache: the planes of all classes at full resolution (40 MB for 1024 x 512 pixels) never exist.

Shape suffixes: N images, C classes, h w at the network's stride, H W at the output size.
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from esl.errors import InputError
from esl.labels.fixed_point import TOP

INTERPOLATION = "bilinear, align_corners=True, of probabilities"
"""How stride probabilities reach the output size; Saporta et al. 2020 evaluate and label like this."""

TILE_VALUES = 160_000
"""Probabilities in a tile, 0.6 MB of float32: measured fastest between 40 thousand and 10 million."""

TINY = np.float32(1e-37)
"""Added to a probability before its logarithm is taken: 0 ln 0 = 0; no other probability that matters is moved."""


class ConfidenceMaps(NamedTuple):
    """What is known of every pixel: ``label`` is the argmax, the other two are uint16 codes, all (H, W)."""

    label: NDArray[np.uint8]
    entropy: NDArray[np.uint16]
    confidence: NDArray[np.uint16]


def stride_probability(logits_NChw: Tensor) -> Tensor:
    """Softmax over the classes, at the network's stride, in float32.

    Raises:
        InputError: a logit is NaN or infinite; such a value must never reach a map.
    """
    if not torch.isfinite(logits_NChw).all():
        raise InputError(
            "the network's output holds NaN or infinite logits: its training diverged; lower learning_rate"
        )
    return logits_NChw.float().softmax(dim=1)


def confidence_maps(probability_Chw: Tensor, size: tuple[int, int]) -> ConfidenceMaps:
    """Stride probabilities float32 of one image -> its maps at ``size`` = (H, W), in tiles unless they lie on a GPU.

    Equal to ``plain_confidence_maps`` but for the order of float32 additions: a code may differ by 1.
    """
    if probability_Chw.device.type == "cuda":
        return plain_confidence_maps(probability_Chw, size)
    probability = probability_Chw.cpu().numpy()
    num_classes = len(probability)
    maps = ConfidenceMaps(np.empty(size, np.uint8), np.empty(size, np.uint16), np.empty(size, np.uint16))
    to_code = np.float32(-TOP / math.log(num_classes))
    buffer = np.empty((num_classes, _tile_rows(num_classes, size[1]), size[1]), np.float32)
    for rows, tile in upsampled_tiles(probability, size):
        best = tile.max(axis=0)
        maps.label[rows] = best_class(tile, best)
        maps.confidence[rows] = _codes(best * np.float32(TOP))
        term = np.add(tile, TINY, out=buffer[:, : tile.shape[1]])
        torch.from_numpy(term).log_()  # where a processor lacks AVX-512, twice as fast as numpy's
        term *= tile
        maps.entropy[rows] = _codes(term.sum(axis=0) * to_code)
    return maps


def label_map(probability_Chw: Tensor, size: tuple[int, int]) -> NDArray[np.uint8]:
    """The ``label`` of ``confidence_maps`` alone: (H, W) uint8."""
    label = np.empty(size, np.uint8)
    for rows, tile in upsampled_tiles(probability_Chw.cpu().numpy(), size):
        label[rows] = best_class(tile, tile.max(axis=0))
    return label


def upsampled_tiles(
    probability_Chw: NDArray[np.float32], size: tuple[int, int]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Rows of the output and their upsampled values (C, rows, W), tile by tile: bilinear, corners aligned.

    A tile is good until the next is asked for, and may be overwritten. A tile lies between two rows of the input, so
    that upsampling it is one multiplication and one addition.
    """
    (height, width), (num_classes, old_height, old_width) = size, probability_Chw.shape
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
    buffer = np.empty((num_classes, _tile_rows(num_classes, width), width), dtype=np.float32)
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


def _tile_rows(num_classes: int, width: int) -> int:
    """The rows of a tile at most."""
    return max(1, TILE_VALUES // (num_classes * width))


def _places(old: int, new: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Of ``new`` positions over ``old`` ones, corners aligned: the old one before each, and how far it lies behind."""
    place = np.arange(new) * ((old - 1) / max(new - 1, 1))
    low = np.minimum(place.astype(np.intp), max(old - 2, 0))
    return low, (place - low).astype(np.float32)


def best_class(tile: NDArray[np.float32], best: NDArray[np.float32]) -> NDArray[np.uint8]:
    """argmax over the classes, given the maxima ``best`` (rows, W): the first of equals; faster than numpy's own."""
    num_classes = len(tile)
    marks = (tile == best).view(np.uint8)
    marks *= np.arange(num_classes, 0, -1, dtype=np.uint8)[:, None, None]
    label: NDArray[np.uint8] = num_classes - marks.max(axis=0)
    return label


def _codes(scaled: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Values in [0, 65535], but for rounding errors, -> nearest codes."""
    return np.rint(np.clip(scaled, 0, TOP)).astype(np.uint16)


# ------------------------------------------------------------------------------------------------------ plain PyTorch


def plain_confidence_maps(probability_Chw: Tensor, size: tuple[int, int]) -> ConfidenceMaps:
    """As ``confidence_maps``, over whole planes, on the device of the probabilities."""
    probability_CHW = upsample_probability(probability_Chw[None], size)[0]
    confidence_HW, label_HW = probability_CHW.max(dim=0)
    entropy_HW = normalised_entropy(probability_CHW[None])[0]
    label = label_HW.to(torch.uint8).cpu().numpy()
    return ConfidenceMaps(label, encode(entropy_HW), encode(confidence_HW.clamp(0, 1)))


def upsample_probability(probability_NChw: Tensor, size: tuple[int, int]) -> Tensor:
    """Probabilities (N, C, h, w) -> (N, C, H, W) for ``size`` = (H, W); they still sum to one at every pixel."""
    return F.interpolate(probability_NChw, size=size, mode="bilinear", align_corners=True)


def normalised_entropy(probability_NCHW: Tensor) -> Tensor:
    """- sum_c p_c ln p_c / ln C in [0, 1], with 0 ln 0 = 0 (Vu et al. 2019, eq. 3): (N, C, H, W) -> (N, H, W).

    >>> normalised_entropy(torch.tensor([0.5, 0.5, 0.0, 0.0]).reshape(1, 4, 1, 1)).item()
    0.5
    """
    entropy_NHW: Tensor = torch.special.entr(probability_NCHW).sum(dim=1) / math.log(probability_NCHW.shape[1])
    return entropy_NHW.clamp(0, 1)


def encode(value: Tensor) -> NDArray[np.uint16]:
    """Values in [0, 1] -> nearest fixed-point codes 0 ... 65535.

    >>> encode(torch.tensor([0.0, 0.1, 1.0])).tolist()
    [0, 6554, 65535]
    """
    return (value.double() * TOP).round().to(torch.int32).cpu().numpy().astype(np.uint16)
