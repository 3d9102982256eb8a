"""Class probabilities at the network's stride -> the label and the measures of confidence of every pixel.

Two forms of one computation: ``plain_confidence_maps`` is plain PyTorch, on any device, and what tests compare with;
``confidence_maps`` is what stages call, in tiles where the probabilities are not on a GPU.

Shape suffixes: N images, C classes, h w at the network's stride, H W at the output size.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from esl.labels.fixed_point import TOP
from esl.labels.measures.base import Measure
from esl.labels.tiles import best_class, tile_buffer, upsampled_tiles

INTERPOLATION = "bilinear, align_corners=True, of probabilities"
"""The upsampling from the network's stride: of probabilities, as where BDL makes pseudo-labels (Li et al. 2019).

The evaluations of ADVENT (Vu et al. 2019) and ESL (Saporta et al. 2020) upsample logits, which on the miniature gave
0.1 to 0.2 points of mIoU more. Here one map serves labels, measures and evaluation.
"""


def confidence_maps(
    probability_Chw: Tensor, size_hw: tuple[int, int], measures: Sequence[Measure]
) -> dict[str, NDArray[Any]]:
    """``label`` (H, W) uint8, the argmax, and for each measure its codes (H, W) uint16 under its name.

    ``probability_Chw`` are float32 probabilities of one image. The result equals that of ``plain_confidence_maps`` up
    to the order of float32 additions: a code may differ by 1.
    """
    if probability_Chw.device.type == "cuda":
        return plain_confidence_maps(probability_Chw, size_hw, measures)
    probability = probability_Chw.cpu().numpy()
    label = np.empty(size_hw, np.uint8)
    maps = {measure.name: np.empty(size_hw, np.uint16) for measure in measures}
    scratch = tile_buffer(len(probability), size_hw[1])
    for rows, tile in upsampled_tiles(probability, size_hw):
        best = tile.max(axis=0)
        label[rows] = best_class(tile, best)
        for measure in measures:
            maps[measure.name][rows] = measure.codes(tile, best, scratch[:, : tile.shape[1]])
    return {"label": label, **maps}


def label_map(probability_Chw: Tensor, size_hw: tuple[int, int]) -> NDArray[np.uint8]:
    """The ``label`` of ``confidence_maps`` alone: (H, W) uint8."""
    label = np.empty(size_hw, np.uint8)
    for rows, tile in upsampled_tiles(probability_Chw.cpu().numpy(), size_hw):
        label[rows] = best_class(tile, tile.max(axis=0))
    return label


def plain_confidence_maps(
    probability_Chw: Tensor, size_hw: tuple[int, int], measures: Sequence[Measure]
) -> dict[str, NDArray[Any]]:
    """The maps of ``confidence_maps``, over whole planes, on the device of the probabilities."""
    probability_CHW = upsample_probability(probability_Chw[None], size_hw)[0]
    label = probability_CHW.max(dim=0).indices.to(torch.uint8).cpu().numpy()
    return {"label": label, **{measure.name: encode(measure.values(probability_CHW)) for measure in measures}}


def upsample_probability(probability_NChw: Tensor, size_hw: tuple[int, int]) -> Tensor:
    """Probabilities (N, C, h, w) -> (N, C, H, W); they still sum to one at every pixel."""
    return F.interpolate(probability_NChw, size=size_hw, mode="bilinear", align_corners=True)


def encode(value: Tensor) -> NDArray[np.uint16]:
    """Values in [0, 1] -> nearest fixed-point codes 0 ... 65535.

    >>> encode(torch.tensor([0.0, 0.1, 1.0])).tolist()
    [0, 6554, 65535]
    """
    return (value.double() * TOP).round().to(torch.int32).cpu().numpy().astype(np.uint16)
