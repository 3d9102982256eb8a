"""Logits like those of a network for street scenes, made without one, so that any clone can run the benchmarks."""

import torch
import torch.nn.functional as F
from torch import Tensor

from esl.classes import IGNORE, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from miniature.render import render_street

CLASSES = CLASS_SETS["cityscapes19"]
SIZE_HW = (512, 1024)
"""Height and width of the maps."""

STRIDE_SIZE_HW = (65, 129)
"""Height and width of the logits, at stride 8 as from the paper's network."""


def scene_logits(number: int) -> Tensor:
    """(19, 65, 129) float32 logits of the scene called ``number``; the same number gives the same logits.

    A rendered label, blurred, times a smooth sharpness, plus smooth noise. They were chosen so that the entropy has
    the quantiles, and the maps the compressed sizes, of the miniature's source model on its target images (entropy at
    10, 25, 50, 75 and 90 %: 0.002, 0.007, 0.08, 0.29 and 0.46).
    """
    height, width = STRIDE_SIZE_HW
    _, ids = render_street("target", seed=0, index=number, width=width, height=height, shift=1.0)
    label = id_table(CITYSCAPES_LABELS, CLASSES).train_ids[ids]
    label[label == IGNORE] = CLASSES.classes.index("building")
    one_hot = F.one_hot(torch.from_numpy(label).long(), len(CLASSES)).permute(2, 0, 1)[None].float()
    generator = torch.Generator().manual_seed(number)
    blurred = F.avg_pool2d(one_hot, 3, stride=1, padding=1, count_include_pad=False)
    common = _smooth(1, 6, generator).sigmoid()  # how sure the network is around each place
    noise = _smooth(len(CLASSES), 10, generator) + 0.5 * _smooth(len(CLASSES), 33, generator)
    return (11.0 * (0.25 + common) * blurred + 1.6 * noise)[0]


def _smooth(channels: int, nodes: int, generator: torch.Generator) -> Tensor:
    """Normal noise (1, channels, 65, 129) that varies over ``nodes`` nodes along the height."""
    coarse = torch.randn(1, channels, nodes, 2 * nodes, generator=generator)
    return F.interpolate(coarse, size=STRIDE_SIZE_HW, mode="bicubic", align_corners=True)
