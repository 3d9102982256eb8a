"""Losses: numbers in, one number out."""

import torch.nn.functional as F
from torch import Tensor

from esl.classes import IGNORE


def segmentation_loss(logits_NChw: Tensor, label_NHW: Tensor) -> Tensor:
    """Cross-entropy of logits, upsampled to the labels' size, averaged over the pixels that are not ``IGNORE``.

    ``logits_NChw`` (N, C, h, w) float, ``label_NHW`` (N, H, W) int64 trainIds. Where every pixel is ignored the loss is
    exactly 0, with a zero gradient (torch's own mean would be NaN): a batch without pseudo-labels teaches nothing.
    """
    logits_NCHW = F.interpolate(logits_NChw.float(), size=label_NHW.shape[-2:], mode="bilinear", align_corners=True)
    total = F.cross_entropy(logits_NCHW, label_NHW, ignore_index=IGNORE, reduction="sum")
    return total / (label_NHW != IGNORE).sum().clamp(min=1)
