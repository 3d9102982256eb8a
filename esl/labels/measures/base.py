"""The contract of a measure of confidence: `entropy.py` is the example to copy."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor

Maps = Mapping[str, NDArray[Any]]
"""Maps of one image by name: ``label`` (H, W) uint8 trainIds; codes (H, W) uint16 under the name of their measure;
``probability`` (C, h, w) float16, at the network's stride."""

Sure = Literal["low", "high"]
"""The end of a measure's range that means that the network is sure."""


class Measure(Protocol):
    """How sure a network is of each pixel, as a value in [0, 1] of the pixel's class probabilities.

    A measure is computed in two forms that agree to within one code. Its module is read by stages that start without
    PyTorch, so it imports torch inside its methods.

    Shape suffixes: C classes, r rows of a tile, H W at the output size.
    """

    @property
    def name(self) -> str:
        """The name of its map: in shards, in ``inference.maps`` and in the registry."""

    @property
    def sure(self) -> Sure:
        """Whether low or high values mean that the network is sure."""

    def codes(
        self, tile_CrW: NDArray[np.float32], best_rW: NDArray[np.float32], scratch_CrW: NDArray[np.float32]
    ) -> NDArray[np.uint16]:
        """The codes (r, W) of a tile of probabilities: the fast form.

        ``best_rW`` are the largest probabilities. ``scratch_CrW`` may be overwritten; the other two must not be.
        """

    def values(self, probability_CHW: "Tensor") -> "Tensor":
        """The values (H, W) in [0, 1], on the device of the probabilities: the plain form."""
