"""What every network returns."""

from typing import NamedTuple

from torch import Tensor


class Logits(NamedTuple):
    """Class scores before the softmax, at the network's stride: each (N, C, h, w) float."""

    main: Tensor
    auxiliary: Tensor | None = None  # of a classifier on earlier features, where the network has one
