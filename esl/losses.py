"""Losses: numbers in, one number out."""

import torch
import torch.nn.functional as F
from torch import Tensor

from esl.classes import IGNORE


def segmentation_loss(logits_NChw: Tensor, label_NHW: Tensor, stride: int = 1) -> Tensor:
    """Cross-entropy of upsampled logits, averaged over the pixels that are not ``IGNORE``.

    ``logits_NChw`` (N, C, h, w) float, ``label_NHW`` (N, H, W) integer trainIds, of which every ``stride``-th row and
    column is compared (1: all of them). Where every pixel is ignored the loss is exactly 0, with a zero gradient
    (torch's own mean would be NaN): a batch without pseudo-labels teaches nothing.
    """
    height, width = label_NHW.shape[-2:]
    label = label_NHW[:, ::stride, ::stride].long()
    if stride == 1:
        logits = F.interpolate(logits_NChw.float(), size=(height, width), mode="bilinear", align_corners=True)
    else:  # the same values at the compared pixels alone
        rows, columns = (_positions(length, stride, logits_NChw.device) for length in (height, width))
        grid = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), dim=-1).expand(len(label), -1, -1, -1)
        logits = F.grid_sample(logits_NChw.float(), grid, padding_mode="border", align_corners=True)
    total = F.cross_entropy(logits, label, ignore_index=IGNORE, reduction="sum")
    return total / (label != IGNORE).sum().clamp(min=1)


def _positions(length: int, stride: int, device: torch.device) -> Tensor:
    """Every ``stride``-th pixel of ``length`` in the coordinates of ``grid_sample``: -1 is the first, 1 the last."""
    return torch.arange(0, length, stride, device=device) * (2 / max(length - 1, 1)) - 1
