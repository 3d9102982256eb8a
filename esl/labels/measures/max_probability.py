"""The largest of a pixel's class probabilities, the measure of BDL, FDA and CBST: high means confident."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esl.labels.fixed_point import TOP, nearest_codes
from esl.labels.measures.base import Sure

if TYPE_CHECKING:
    from torch import Tensor


class MaxProbability:
    """max_c p_c, in [0, 1]; its map is called ``confidence``."""

    name = "confidence"
    sure: Sure = "high"

    def codes(
        self, tile_CrW: NDArray[np.float32], best_rW: NDArray[np.float32], scratch_CrW: NDArray[np.float32]
    ) -> NDArray[np.uint16]:
        """The codes (r, W) of a tile of probabilities."""
        return nearest_codes(best_rW * np.float32(TOP))

    def values(self, probability_CHW: "Tensor") -> "Tensor":
        """The largest probability (H, W) of whole planes of probabilities."""
        return probability_CHW.amax(dim=0).clamp(0, 1)
