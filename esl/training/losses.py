"""Loss functions, and the compared outputs.

Shape suffixes: N images, C classes, h w at the network's stride, H W of the label.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from esl.classes import IGNORE
from esl.models.logits import Logits


def outputs(logits: Logits) -> list[Tensor]:
    """The outputs of a network, (N, C, h, w) each: the main one, then the auxiliary one if there is one."""
    return [logits.main] if logits.auxiliary is None else [logits.main, logits.auxiliary]


def weighted_sum(weights: Sequence[float], losses: Sequence[Tensor]) -> Tensor:
    """The weighted sum of the losses of a network's outputs, scalars; a weight without an output is unused."""
    return sum((w * loss for w, loss in zip(weights, losses, strict=False)), start=losses[0].new_zeros(()))


def segmentation_loss(
    logits_NChw: Tensor, label_NHW: Tensor, stride: int = 1, *, pixels: Tensor | float | None = None
) -> Tensor:
    """Cross-entropy of upsampled logits, averaged over the pixels that are not ``IGNORE``.

    ``logits_NChw`` (N, C, h, w) float, ``label_NHW`` (N, H, W) integer trainIds, of which every ``stride``-th row and
    column is compared (1: all of them). Where every pixel is ignored the loss is exactly 0, with a zero gradient
    (torch's own mean would be NaN): a batch without pseudo-labels teaches nothing. ``pixels`` replaces the number of
    labelled pixels as the divisor of the sum: several processes share one mean by it.
    """
    height, width = label_NHW.shape[-2:]
    label = subsampled(label_NHW, stride).long()
    total = F.cross_entropy(
        upsampled(logits_NChw, (height, width), stride), label, ignore_index=IGNORE, reduction="sum"
    )
    return total / ((label != IGNORE).sum().clamp(min=1) if pixels is None else pixels)


def weighted_pixel_loss(logits_NCHW: Tensor, label_NHW: Tensor, weight_NHW: Tensor) -> Tensor:
    """The mean over all pixels of cross-entropy times weight (DACS, Tranheden et al. 2021, section 3.2): a scalar.

    ``logits_NCHW`` (N, C, H, W) float, ``label_NHW`` (N, H, W) int64 trainIds, of which ``IGNORE`` costs nothing,
    ``weight_NHW`` (N, H, W) float. Pixels of weight 0 count in the mean: an uncertain batch teaches less.

    >>> logits = torch.zeros(1, 2, 1, 2)
    >>> loss = weighted_pixel_loss(logits, torch.tensor([[[0, 1]]]), torch.tensor([[[1.0, 0.0]]]))
    >>> round(loss.item(), 4)  # half of ln 2
    0.3466
    """
    losses_NHW = F.cross_entropy(logits_NCHW.float(), label_NHW, ignore_index=IGNORE, reduction="none")
    return (losses_NHW * weight_NHW).mean()


def subsampled(label_NHW: Tensor, stride: int) -> Tensor:
    """Every ``stride``-th row and column of a label."""
    return label_NHW[:, ::stride, ::stride]


def upsampled(logits_NChw: Tensor, size_hw: tuple[int, int], stride: int = 1) -> Tensor:
    """Logits at ``size_hw``, bilinear with corners aligned; every ``stride``-th row and column of that."""
    if stride == 1:
        return F.interpolate(logits_NChw.float(), size=size_hw, mode="bilinear", align_corners=True)
    # the same values, computed at the compared pixels only
    rows, columns = (_positions(length, stride, logits_NChw.device) for length in size_hw)
    grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1).expand(len(logits_NChw), -1, -1, -1)
    return F.grid_sample(logits_NChw.float(), grid, padding_mode="border", align_corners=True)


def _positions(length: int, stride: int, device: torch.device) -> Tensor:
    """Every ``stride``-th pixel of ``length`` in the coordinates of ``grid_sample``: -1 is the first, 1 the last."""
    return torch.arange(0, length, stride, device=device) * (2 / max(length - 1, 1)) - 1
