"""Views of an image, mirrored and scaled, and the mean of a network's probabilities over them.

Every image has its plain view. ``flip`` adds its mirror image, and a number such as 0.75 the image at this share of
its width and height: inference costs 1 + [flip] + the sum of the squared scales times as much as the plain view alone.
The softmax of a view is brought to the stride grid of the plain one, and all views weigh the same.

SAC (Araslanov & Roth 2021) averages the softmax of random crops and mirror images, each enlarged to one size, at the
size of the image; here the views are fixed, each is the whole image, and they meet at the network's stride.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

Images = list[NDArray[np.uint8]]
"""Images (H, W, 3) of one size."""

FLIP = "flip"
"""The name of the mirror image, left to right."""


def mean_probability(predict: Callable[[Images], Tensor], images: Images, views: Sequence[str | float]) -> Tensor:
    """The mean of the probabilities of the plain view and of ``views``, at the stride of the plain one: (N, C, h, w).

    ``predict`` gives the probabilities (N, C, ., .) of images, at its stride.
    """
    plain_NChw = predict(images)
    total_NChw = plain_NChw.clone()
    for view in views:
        seen_NChw = predict([view_of(image, view) for image in images])
        total_NChw += as_plain(seen_NChw, view, (plain_NChw.shape[-2], plain_NChw.shape[-1]))
    return total_NChw / (1 + len(views))


def view_of(image: NDArray[np.uint8], view: str | float) -> NDArray[np.uint8]:
    """``flip``: the mirror image; a scale: the image resized (bicubic) by it, at least one pixel wide and high."""
    if isinstance(view, str):
        assert view == FLIP, view
        return np.ascontiguousarray(image[:, ::-1])
    height, width = (max(1, round(side * view)) for side in image.shape[:2])
    return np.asarray(Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC))


def as_plain(probability_NChw: Tensor, view: str | float, size_hw: tuple[int, int]) -> Tensor:
    """The probabilities of a view where the plain one has them: mirrored back, or bilinear with corners aligned."""
    if view == FLIP:
        return probability_NChw.flip(-1)
    return F.interpolate(probability_NChw, size=size_hw, mode="bilinear", align_corners=True)
