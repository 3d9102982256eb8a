"""Network output -> label, entropy and maximum probability per pixel, and their fixed-point codes.

Shape suffixes: N images, C classes, h w at the network's stride, H W at the output size.
"""

import math
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from esl.errors import InputError
from esl.fixed_point import TOP

INTERPOLATION = "bilinear, align_corners=True, of probabilities"
"""How stride probabilities reach the output size; Saporta et al. 2020 evaluate and label like this."""


class ConfidenceMaps(NamedTuple):
    """What is known of every pixel: ``label`` is the argmax, the other two are uint16 codes, all (N, H, W)."""

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


def confidence_maps(probability_NChw: Tensor, size: tuple[int, int]) -> ConfidenceMaps:
    """Stride probabilities -> label, entropy and confidence maps at ``size`` = (H, W)."""
    probability_NCHW = upsample_probability(probability_NChw, size)
    confidence_NHW, label_NHW = probability_NCHW.max(dim=1)
    entropy_NHW = normalised_entropy(probability_NCHW)
    label = label_NHW.to(torch.uint8).cpu().numpy()
    return ConfidenceMaps(label, encode(entropy_NHW), encode(confidence_NHW.clamp(0, 1)))
