"""The contract of a target term: a further loss on the target images, which may have a state of its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from lightning_fabric import Fabric
from torch import Tensor, nn

from esl.models.logits import Logits


@dataclass(frozen=True)
class TermContext:
    """The training that a term is part of."""

    network: nn.Module
    """The network that is trained; a term may copy it (a teacher), or call it on images of its own."""
    model: nn.Module
    """The same through ``fabric``: in the training's precision, with gradients exchanged between processes."""
    fabric: Fabric
    label_stride: int
    """The losses compare every n-th row and column of the labels."""
    decay: Callable[[int], float]
    """Iteration -> the factor of every learning rate; for ``LambdaLR``."""


@dataclass(frozen=True)
class TargetBatch:
    """A batch of target images and the network's logits for it, with the source batch of the same iteration.

    T target and S source images, H W of the images; a logit's h w are at the network's stride.
    """

    iteration: int
    image: Tensor  # (T, 3, H, W) uint8
    label: Tensor  # (T, H, W) uint8: pseudo-labels, IGNORE where there is none
    logits: Logits  # (T, C, h, w) each, with a graph
    source_image: Tensor  # (S, 3, H, W) uint8
    source_label: Tensor  # (S, H, W) uint8
    source_logits: Logits  # (S, C, h, w) each; their graph is gone, so detach them


class TargetTerm(Protocol):
    """A loss on the target; a subclass overrides what it needs, at least ``loss``."""

    def loss(self, batch: TargetBatch) -> Tensor:
        """The weighted loss of a batch: a scalar whose gradient the network follows."""
        ...

    def after_step(self, batch: TargetBatch) -> None:
        """Called after each step of the network's optimiser, with the last batch of the iteration."""

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed training needs: tensors and plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores what ``state_dict`` returned."""
