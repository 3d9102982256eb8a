"""Losses: numbers in, one number out."""

import torch.nn.functional as F
from torch import Tensor

from esl.classes import IGNORE


def segmentation_loss(logits_NChw: Tensor, label_NHW: Tensor, stride: int = 1) -> Tensor:
    """Cross-entropy of upsampled logits, averaged over the pixels that are not ``IGNORE``.

    ``logits_NChw`` (N, C, h, w) float, ``label_NHW`` (N, H, W) integer trainIds, of which every ``stride``-th row and
    column is compared (1: all of them). Where every pixel is ignored the loss is exactly 0, with a zero gradient
    (torch's own mean would be NaN): a batch without pseudo-labels teaches nothing.
    """
    label = label_NHW[:, ::stride, ::stride].long()
    logits_NCHW = F.interpolate(logits_NChw.float(), size=label.shape[-2:], mode="bilinear", align_corners=True)
    total = F.cross_entropy(logits_NCHW, label, ignore_index=IGNORE, reduction="sum")
    return total / (label != IGNORE).sum().clamp(min=1)
