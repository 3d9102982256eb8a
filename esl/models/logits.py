"""The contract of a network: images in, logits at its stride out."""

from typing import NamedTuple, Protocol

from torch import Tensor


class Logits(NamedTuple):
    """Class scores before the softmax, at the network's stride: each (N, C, h, w) float."""

    main: Tensor
    auxiliary: Tensor | None = None  # of a classifier on earlier features, where the network has one


def divided(logits: Logits, first: int) -> tuple[Logits, Logits]:
    """The logits of the ``first`` images of a batch, and those of the others."""
    auxiliary = (None, None) if logits.auxiliary is None else (logits.auxiliary[:first], logits.auxiliary[first:])
    return Logits(logits.main[:first], auxiliary[0]), Logits(logits.main[first:], auxiliary[1])


class Network(Protocol):
    """The contract of a segmentation network; ``networks/small.py`` is the example to copy.

    It is an ``nn.Module`` whose constructor takes the number of classes. Two methods are optional:
    ``blocks() -> list[nn.Module]``, the parts that activation checkpointing wraps, and
    ``parameter_groups(learning_rate) -> list[dict]``, for learning rates that differ between its parts.
    """

    def __call__(self, image_N3HW: Tensor) -> Logits:
        """Logits of RGB images (N, 3, H, W) float32 in [0, 1], at the network's stride."""
