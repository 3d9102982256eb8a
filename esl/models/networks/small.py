"""A small encoder-decoder for the miniature: trained from scratch on a CPU within minutes."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from esl.models.logits import Logits

WIDTHS = (16, 40, 80, 128)  # channels at strides 2, 4, 8 and 16
DECODER_WIDTH = 48


def _conv(in_channels: int, out_channels: int, *, stride: int = 1, dilation: int = 1) -> nn.Sequential:
    """3x3 convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(in_channels, out_channels, 3, stride, padding=dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(out_channels),
        nn.ReLU(inplace=True),
    )


class _Residual(nn.Module):
    """Two 3x3 convolutions and a skip connection."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = _conv(channels, channels, dilation=dilation)
        self.second = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x + self.second(self.first(x)))


class SmallNetwork(nn.Module):
    """Residual encoder to stride 16 and a top-down decoder to stride 4; about 0.9 million parameters."""

    mean: Tensor
    std: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((1, 3, 1, 1), 0.45), persistent=False)
        self.register_buffer("std", torch.full((1, 3, 1, 1), 0.25), persistent=False)
        stem, quarter, eighth, sixteenth = WIDTHS
        self.stem = _conv(3, stem, stride=2)
        self.stages = nn.ModuleList(
            [
                nn.Sequential(_conv(stem, quarter, stride=2), _Residual(quarter)),
                nn.Sequential(_conv(quarter, eighth, stride=2), _Residual(eighth)),
                nn.Sequential(
                    _conv(eighth, sixteenth, stride=2), _Residual(sixteenth), _Residual(sixteenth, dilation=2)
                ),
            ]
        )
        self.laterals = nn.ModuleList([nn.Conv2d(width, DECODER_WIDTH, 1) for width in WIDTHS[1:]])
        self.smooth = _conv(DECODER_WIDTH, DECODER_WIDTH)
        self.classifier = nn.Conv2d(DECODER_WIDTH, num_classes, 1)

    def blocks(self) -> list[nn.Module]:
        """The modules that activation checkpointing wraps."""
        return [block for stage in self.stages for block in stage.children()]

    def forward(self, image_N3HW: Tensor) -> Logits:
        """Logits (N, C, ceil(H/4), ceil(W/4)) of RGB images in [0, 1]."""
        x = self.stem((image_N3HW - self.mean) / self.std)
        levels = []
        for stage, lateral in zip(self.stages, self.laterals, strict=True):
            x = stage(x)
            levels.append(lateral(x))  # (N, DECODER_WIDTH, H/4 ... H/16, W/4 ... W/16)
        top = levels[-1]
        for level in reversed(levels[:-1]):
            top = level + F.interpolate(top, size=level.shape[-2:], mode="bilinear", align_corners=False)
        return Logits(self.classifier(self.smooth(top)))
