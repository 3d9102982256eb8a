"""The entropy of a pixel's class probabilities, the measure of ESL: low where the network is confident."""

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from esl.labels.fixed_point import TOP, nearest_codes
from esl.labels.measures.base import Sure

if TYPE_CHECKING:
    from torch import Tensor

TINY = np.float32(1e-37)
"""Added to a probability before its logarithm: 0 ln 0 = 0, and no other probability changes noticeably."""


class Entropy:
    """- sum_c p_c ln p_c / ln C, in [0, 1] (Vu et al. 2019, eq. 3; Saporta et al. 2020, eq. 1)."""

    name = "entropy"
    sure: Sure = "low"

    def codes(
        self, tile_CrW: NDArray[np.float32], best_rW: NDArray[np.float32], scratch_CrW: NDArray[np.float32]
    ) -> NDArray[np.uint16]:
        """The codes (r, W) of a tile of probabilities."""
        import torch  # stages that only read maps start without it

        term = np.add(tile_CrW, TINY, out=scratch_CrW)
        torch.from_numpy(term).log_()  # where a processor lacks AVX-512, twice as fast as numpy's
        term *= tile_CrW
        return nearest_codes(term.sum(axis=0) * np.float32(-TOP / math.log(len(tile_CrW))))

    def values(self, probability_CHW: "Tensor") -> "Tensor":
        """The entropy (H, W) of whole planes of probabilities."""
        return normalised_entropy(probability_CHW[None])[0]


def normalised_entropy(probability_NCHW: "Tensor") -> "Tensor":
    """- sum_c p_c ln p_c / ln C in [0, 1], with 0 ln 0 = 0 (Vu et al. 2019, eq. 3): (N, C, H, W) -> (N, H, W).

    >>> import torch
    >>> normalised_entropy(torch.tensor([0.5, 0.5, 0.0, 0.0]).reshape(1, 4, 1, 1)).item()
    0.5
    """
    import torch  # stages that only read maps start without it

    entropy_NHW: Tensor = torch.special.entr(probability_NCHW).sum(dim=1) / math.log(probability_NCHW.shape[1])
    return entropy_NHW.clamp(0, 1)
