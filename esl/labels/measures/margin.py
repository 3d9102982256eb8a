"""The margin between a pixel's two largest class probabilities: high where the network is confident."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esl.labels.fixed_point import TOP, nearest_codes
from esl.labels.measures.base import Sure

if TYPE_CHECKING:
    from torch import Tensor


class Margin:
    """The largest probability minus the second largest, in [0, 1] (Scheffer et al. 2001, active learning)."""

    name = "margin"
    sure: Sure = "high"

    def codes(
        self, tile_CrW: NDArray[np.float32], best_rW: NDArray[np.float32], scratch_CrW: NDArray[np.float32]
    ) -> NDArray[np.uint16]:
        """The codes (r, W) of a tile of probabilities; equal maxima have the margin 0."""
        first, second, smaller = scratch_CrW[0], np.zeros_like(best_rW), np.empty_like(best_rW)
        first[...] = tile_CrW[0]
        for plane in tile_CrW[1:]:
            np.minimum(first, plane, out=smaller)
            np.maximum(second, smaller, out=second)
            np.maximum(first, plane, out=first)
        return nearest_codes((best_rW - second) * np.float32(TOP))

    def values(self, probability_CHW: "Tensor") -> "Tensor":
        """The margin (H, W) of whole planes of probabilities."""
        first_and_second: Tensor = probability_CHW.topk(2, dim=0).values
        return (first_and_second[0] - first_and_second[1]).clamp(0, 1)
