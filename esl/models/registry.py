"""The networks, by name, and the checkpoint that rebuilds one."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from esl.errors import InputError
from esl.models.logits import Logits
from esl.models.networks import torchvision as torchvision_networks
from esl.models.networks.deeplabv2 import DeepLabV2
from esl.models.networks.small import SmallNetwork

__all__ = ["NETWORKS", "Logits", "as_input", "build_network", "parameter_groups"]

NETWORKS: dict[str, Callable[[int], nn.Module]] = {
    "small": SmallNetwork,
    "deeplabv2_resnet101": DeepLabV2,  # as published, with the auxiliary classifier
    "deeplabv2_resnet101_single": partial(DeepLabV2, auxiliary=False),
    "deeplabv2_resnet101_torchvision": partial(DeepLabV2, form="torchvision"),  # for torchvision's ImageNet weights
    **{name: partial(torchvision_networks.TorchvisionNetwork, name) for name in torchvision_networks.NAMES},
}
"""Every network takes pictures as ``as_input`` makes them and returns ``Logits`` at its stride."""


def build_network(name: str, num_classes: int) -> nn.Module:
    """A freshly initialised network (the global torch seed decides the weights); InputError lists the names."""
    if name not in NETWORKS:
        raise InputError(f"network: expected one of {', '.join(NETWORKS)}, but got {name!r}")
    return NETWORKS[name](num_classes)


def parameter_groups(network: nn.Module, learning_rate: float) -> list[dict[str, Any]]:
    """What an optimiser trains of ``network``, each group with its learning rate: the network's own groups, or one."""
    if isinstance(network, DeepLabV2):
        return network.parameter_groups(learning_rate)
    return [{"params": [p for p in network.parameters() if p.requires_grad], "lr": learning_rate}]


def as_input(picture_N3HW: Tensor) -> Tensor:
    """RGB bytes -> what every network takes: float32 in [0, 1], channels last in memory."""
    return (picture_N3HW.float() / 255).contiguous(memory_format=torch.channels_last)
