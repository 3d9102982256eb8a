"""The input that every network takes, and the parameter groups that an optimiser trains."""

from typing import Any

import torch
from torch import Tensor, nn


def as_input(image_N3HW: Tensor) -> Tensor:
    """RGB bytes (N, 3, H, W) uint8 -> the input of every network: float32 in [0, 1], channels last in memory."""
    return (image_N3HW.float() / 255).contiguous(memory_format=torch.channels_last)


def parameter_groups(network: nn.Module, learning_rate: float) -> list[dict[str, Any]]:
    """The groups of ``torch.optim`` that train ``network``, each with its learning rate ``lr``.

    A network that has a method ``parameter_groups(learning_rate)``, such as DeepLab v2 with its faster classifiers,
    decides itself; any other network gives one group, of all parameters that are trained.
    """
    own = getattr(network, "parameter_groups", None)
    if own is not None:
        return own(learning_rate)  # type: ignore[no-any-return]
    return [{"params": [p for p in network.parameters() if p.requires_grad], "lr": learning_rate}]
