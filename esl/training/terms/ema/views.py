"""The student's view of a target image: source pixels pasted on it, other colours, blur, masked blocks.

Every random draw is one of torch's global generator of the CPU, which each iteration seeds.
Shape suffixes: N images, H W pixels.
"""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torchvision.transforms import v2

from esl.classes import IGNORE

MEAN_COLOUR = (124, 116, 104)
"""ImageNet's mean RGB, which fills masked blocks: 0 after MIC's normalisation."""

BLUR = {"kernel_size": 7, "sigma": (0.15, 1.15)}
"""Kernel size and range of sigma in pixels, as in DACS and DAFormer."""


def pasted_classes(label_NHW: Tensor) -> Tensor:
    """True where a pixel belongs to a random half of its label's classes, rounded up, never to ``IGNORE``: bool.

    ``label_NHW`` (N, H, W) uint8 trainIds; every image has draws of its own (ClassMix, Olsson et al. 2021).
    """
    masks = []
    for label in label_NHW:
        classes = label.unique()
        classes = classes[classes != IGNORE]
        chosen = torch.randperm(len(classes))[: (len(classes) + 1) // 2]
        masks.append(torch.isin(label, classes[chosen.to(classes.device)]))
    return torch.stack(masks)


def distorted(image_N3HW: Tensor, *, colour: float, colour_probability: float, blur: float) -> Tensor:
    """Images (N, 3, H, W) uint8 with random changes of colour and blur, drawn for each image (DACS, section 4)."""
    jitter, gaussian = v2.ColorJitter(colour, colour, colour, hue=colour), v2.GaussianBlur(**BLUR)
    images = []
    for image in image_N3HW:
        changes_colour, blurs = torch.rand(2).tolist()
        if colour and changes_colour < colour_probability:
            image = cast(Tensor, jitter(image))
        images.append(cast(Tensor, gaussian(image)) if blurs < blur else image)
    return torch.stack(images)


def masked(image_N3HW: Tensor, *, ratio: float, block: int) -> Tensor:
    """Images (N, 3, H, W) uint8 in which each block is the mean colour with probability ``ratio`` (MIC, section 3.2).

    ``block`` is the side of a block in pixels; a block's sides change a little so that whole blocks fill the image.
    """
    number, _, height, width = image_N3HW.shape
    rows, columns = (max(1, round(length / block)) for length in (height, width))
    hidden = (torch.rand(number, 1, rows, columns) < ratio).to(image_N3HW.device).float()
    mean = image_N3HW.new_tensor(MEAN_COLOUR).reshape(1, 3, 1, 1)
    return torch.where(F.interpolate(hidden, size=(height, width), mode="nearest").bool(), mean, image_N3HW)
