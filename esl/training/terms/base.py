"""The contract of a target term: a further loss on the target images, which may have a state of its own."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from esl.models.logits import Logits


@dataclass(frozen=True)
class TermContext:
    """The training that a term is part of."""

    network: nn.Module
    """The network in training; a term may copy it (a teacher), or call it on images of its own."""
    model: nn.Module
    """The network through ``fabric``: in the training's precision, with gradients exchanged between processes."""
    fabric: Fabric
    label_stride: int
    """The losses compare every n-th row and column of the labels."""
    decay: Callable[[int], float]
    """Iteration -> the factor of every learning rate; for ``LambdaLR``."""
    auxiliary_weight: float = 0.0
    """Weight of a cross-entropy at the auxiliary output; the main output's is 1."""
    own_pass: Callable[[], AbstractContextManager[None]] = nullcontext
    """The block for a pass of ``model`` over images that the term has changed.

    Within it batch norm's running statistics stay as they are, if they are to be those of plain target images.
    """


NO_LOGITS = Logits(torch.empty(0))
"""The placeholder for logits of plain target images, if nothing needs their gradients."""


@dataclass(frozen=True)
class TargetBatch:
    """A batch of target images and the network's logits for it, with the source batch of the same iteration.

    T target and S source images, H W of the images; a logit's h w are at the network's stride.
    """

    iteration: int
    image: Tensor  # (T, 3, H, W) uint8
    label: Tensor  # (T, H, W) uint8: pseudo-labels, IGNORE where there is none
    logits: Logits  # (T, C, h, w) each, with a graph; NO_LOGITS for a term that does not read them
    source_image: Tensor  # (S, 3, H, W) uint8
    source_label: Tensor  # (S, H, W) uint8
    source_logits: Logits  # (S, C, h, w) each; their graph is gone, so detach them


class TargetTerm(ABC):
    """A loss on the target; a subclass overrides what it needs, at least ``loss``.

    Random draws are those of torch's global generator, which the seed, the iteration and the process decide.
    """

    reads_logits: bool = True
    """Whether it reads ``TargetBatch.logits``; if not, and without pseudo-labels, they are not computed."""

    @abstractmethod
    def loss(self, batch: TargetBatch) -> Tensor:
        """The weighted loss of a batch: a scalar whose gradient the network follows."""

    def after_step(self, batch: TargetBatch) -> None:  # noqa: B027  # most terms do nothing
        """Called after each step of the network's optimiser, with the last batch of the iteration."""

    def checkpoint_weights(self) -> dict[str, Tensor] | None:
        """The state that checkpoints hold instead of the network's, such as a teacher's; ``None``: the network's."""
        return None

    def state_dict(self) -> dict[str, Any]:
        """The state that a resumed training needs: tensors and plain values."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:  # noqa: B027  # most terms have no state
        """Restores the state that ``state_dict`` returned."""
