"""The contract of a measure: a confidence score of every pixel, low or high where the network is confident.

`entropy.py` is the example to copy.
"""

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
"""The confident end of a measure's range."""


class Measure(Protocol):
    """A confidence score of each pixel, in [0, 1], from the pixel's class probabilities.

    A measure has two forms, which agree to within one code. Stages that start without PyTorch read its module, so it
    imports torch inside its methods.

    Shape suffixes: C classes, r rows of a tile, H W at the output size.
    """

    @property
    def name(self) -> str:
        """The name of its map: in shards, in ``inference.maps`` and in the registry."""

    @property
    def sure(self) -> Sure:
        """Whether low or high values mean confidence."""

    def codes(
        self, tile_CrW: NDArray[np.float32], best_rW: NDArray[np.float32], scratch_CrW: NDArray[np.float32]
    ) -> NDArray[np.uint16]:
        """The codes (r, W) of a tile of probabilities: the fast form.

        ``best_rW`` are the largest probabilities. ``scratch_CrW`` may be overwritten; the other two must not be.
        """

    def values(self, probability_CHW: "Tensor") -> "Tensor":
        """The values (H, W) in [0, 1], on the device of the probabilities: the plain form."""
