"""The networks by name: where each is written, and what planning must know of it; no network is imported here."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any

from esl.errors import InputError

if TYPE_CHECKING:
    from torch import nn

TORCHVISION = "torchvision"
"""In place of a file of published weights: torchvision's ImageNet weights, from its cache or downloaded into it."""


@dataclass(frozen=True)
class PublishedWeights:
    """Which published weights a network starts from."""

    loader: str  # "module:function", called with the network and the path of a local file
    source: str  # where to get the file, for the message about a missing one
    torchvision: str | None = None  # torchvision's weights that fit, such as "ResNet101_Weights.IMAGENET1K_V2"


@dataclass(frozen=True)
class NetworkEntry:
    """Where a network is written, and what must be known of it before anything runs."""

    factory: str  # "module:attribute", called with the number of classes and `arguments`
    arguments: Mapping[str, Any] = field(default_factory=dict)
    smallest_batch: int = 1  # images that a training step needs at least
    weights: PublishedWeights | None = None  # None: always trained from fresh weights


_DEEPLABV2 = "esl.models.networks.deeplabv2:DeepLabV2"
_DEEPLABV2_LOADER = "esl.models.networks.deeplabv2_weights:load_weights"
_CAFFE_WEIGHTS = PublishedWeights(
    _DEEPLABV2_LOADER,
    "for deeplabv2_resnet101 get the ResNet-101 pretrained on ImageNet (DeepLab_resnet_pretrained_imagenet.pth) that "
    "github.com/valeoai/ADVENT and github.com/wasidennis/AdaptSegNet link to",
)
_TORCHVISION_WEIGHTS = PublishedWeights(
    _DEEPLABV2_LOADER,
    "for deeplabv2_resnet101_torchvision get the file that torchvision.models.ResNet101_Weights names in its url, or "
    f"set pretrained to `{TORCHVISION}`, which downloads it",
    torchvision="ResNet101_Weights.IMAGENET1K_V2",
)


def _of_torchvision(name: str, smallest_batch: int = 1) -> NetworkEntry:
    """A network of torchvision.models.segmentation by its name there."""
    return NetworkEntry("esl.models.networks.torchvision:TorchvisionNetwork", {"name": name}, smallest_batch)


NETWORKS: dict[str, NetworkEntry] = {
    "small": NetworkEntry("esl.models.networks.small:SmallNetwork"),
    # as published, with the auxiliary classifier
    "deeplabv2_resnet101": NetworkEntry(_DEEPLABV2, weights=_CAFFE_WEIGHTS),
    "deeplabv2_resnet101_single": NetworkEntry(_DEEPLABV2, {"auxiliary": False}, weights=_CAFFE_WEIGHTS),
    # in the form of torchvision's ImageNet weights
    "deeplabv2_resnet101_torchvision": NetworkEntry(_DEEPLABV2, {"form": "torchvision"}, weights=_TORCHVISION_WEIGHTS),
    "fcn_resnet50": _of_torchvision("fcn_resnet50"),
    "fcn_resnet101": _of_torchvision("fcn_resnet101"),
    # DeepLab v3 normalises a pooled image by its batch
    "deeplabv3_resnet50": _of_torchvision("deeplabv3_resnet50", smallest_batch=2),
    "deeplabv3_resnet101": _of_torchvision("deeplabv3_resnet101", smallest_batch=2),
    "deeplabv3_mobilenet_v3_large": _of_torchvision("deeplabv3_mobilenet_v3_large", smallest_batch=2),
    "lraspp_mobilenet_v3_large": _of_torchvision("lraspp_mobilenet_v3_large"),
}
"""Every network takes images as ``network.as_input`` makes them and returns ``Logits`` at its stride."""


def network_entry(name: str) -> NetworkEntry:
    """The entry of a network.

    Raises:
        InputError: no network has this name; lists those there are and the likely one.
    """
    if name not in NETWORKS:
        near = difflib.get_close_matches(name, NETWORKS, n=1)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        raise InputError(f"network: expected one of {', '.join(NETWORKS)}, but got {name!r}{meant}")
    return NETWORKS[name]


def build_network(name: str, num_classes: int) -> "nn.Module":
    """A freshly initialised network (the global torch seed decides the weights); InputError as ``network_entry``."""
    entry = network_entry(name)
    return resolve(entry.factory)(num_classes=num_classes, **entry.arguments)  # type: ignore[no-any-return]


def network_module(name: str) -> str:
    """The module that a network is written in: a root of the code digest of whatever runs it."""
    return network_entry(name).factory.partition(":")[0]


def weights_module(name: str) -> str | None:
    """The module that loads published weights into a network, another such root; ``None``: none are published."""
    weights = network_entry(name).weights
    return None if weights is None else weights.loader.partition(":")[0]


def pretrained_mistake(name: str, pretrained: str | None) -> str | None:
    """Why a network cannot start from ``pretrained`` (a path, ``TORCHVISION``, or ``None``: fresh weights), if so."""
    weights = network_entry(name).weights
    if pretrained is None or (weights is not None and (pretrained != TORCHVISION or weights.torchvision)):
        return None
    if weights is None:
        starting = ", ".join(other for other, entry in NETWORKS.items() if entry.weights)
        return f"{name} does not start from published weights; set pretrained to null, or take one of {starting}"
    fitting = ", ".join(other for other, entry in NETWORKS.items() if entry.weights and entry.weights.torchvision)
    return f"torchvision's weights fit {fitting}, not {name}"


def missing_weights(name: str, path: str) -> str:
    """What to tell about a file of published weights that does not exist: where to get it, and where to put it."""
    weights = network_entry(name).weights
    assert weights is not None, name
    return f"{path}: no such file of initial weights; {weights.source}, and put it at this path"


def resolve(reference: str) -> Any:
    """What ``module:attribute`` names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
