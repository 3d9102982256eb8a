"""The networks, by name, and the checkpoint that rebuilds one."""

from torch import nn

from esl.errors import InputError
from esl.models.small import SmallNetwork

NETWORKS: dict[str, type[nn.Module]] = {"small": SmallNetwork}
"""Every network takes pictures (N, 3, H, W), RGB in [0, 1], and returns logits (N, C, h, w) at its stride."""


def build_network(name: str, num_classes: int) -> nn.Module:
    """A freshly initialised network (the global torch seed decides the weights); InputError lists the names."""
    if name not in NETWORKS:
        raise InputError(f"network: expected one of {', '.join(NETWORKS)}, but got {name!r}")
    return NETWORKS[name](num_classes)
