"""The networks, by name, and the checkpoint that rebuilds one."""

import torch
from torch import Tensor, nn

from esl.errors import InputError
from esl.models.small import SmallNetwork

NETWORKS: dict[str, type[nn.Module]] = {"small": SmallNetwork}
"""Every network takes pictures as ``as_input`` makes them and returns logits (N, C, h, w) at its stride."""


def build_network(name: str, num_classes: int) -> nn.Module:
    """A freshly initialised network (the global torch seed decides the weights); InputError lists the names."""
    if name not in NETWORKS:
        raise InputError(f"network: expected one of {', '.join(NETWORKS)}, but got {name!r}")
    return NETWORKS[name](num_classes)


def as_input(picture_N3HW: Tensor) -> Tensor:
    """RGB bytes -> what every network takes: float32 in [0, 1], channels last in memory."""
    return (picture_N3HW.float() / 255).contiguous(memory_format=torch.channels_last)
