"""The networks by name: where each is defined, and what planning must know about it; none is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from esl.errors import InputError, suggestion

if TYPE_CHECKING:
    from torch import nn

TORCHVISION = "torchvision"
"""Instead of a file of published weights: torchvision's ImageNet weights, from its cache or downloaded into it."""


@dataclass(frozen=True)
class NetworkEntry:
    """Where a network is defined, and what must be known about it before anything runs."""

    factory: str  # "module:attribute", called with the number of classes and `arguments`
    arguments: Mapping[str, Any] = field(default_factory=dict)
    smallest_batch: int = 1  # images of each domain that a training step needs at least
    blocks: bool = False  # whether it names `blocks()` whose activations can be computed again
    loader: str | None = None  # "module:function", loads a file of published weights; None: none are published
    weights_hint: str = ""  # where to get this file
    torchvision_weights: str | None = None  # torchvision's that fit, such as "ResNet101_Weights.IMAGENET1K_V2"


_deeplabv2 = partial(
    NetworkEntry,
    "esl.models.networks.deeplabv2:DeepLabV2",
    blocks=True,
    loader="esl.models.networks.deeplabv2_weights:load_weights",
)
_PAPER_HINT = (
    "for deeplabv2_resnet101 get the ResNet-101 pretrained on ImageNet (DeepLab_resnet_pretrained_imagenet.pth) that "
    "github.com/valeoai/ADVENT and github.com/wasidennis/AdaptSegNet link to, and put it at this path"
)
_TORCHVISION_HINT = (
    "for deeplabv2_resnet101_torchvision get the file that torchvision.models.ResNet101_Weights names in its url, and "
    f"put it at this path, or set pretrained to `{TORCHVISION}`, which downloads it"
)


def _of_torchvision(name: str, smallest_batch: int = 1) -> NetworkEntry:
    """A network of torchvision.models.segmentation by its name there."""
    return NetworkEntry(
        "esl.models.networks.torchvision:TorchvisionNetwork", {"name": name}, smallest_batch, blocks=True
    )


NETWORKS: dict[str, NetworkEntry] = {
    "small": NetworkEntry("esl.models.networks.small:SmallNetwork", blocks=True),
    # as published, with the auxiliary classifier; without it; in the form of torchvision's ImageNet weights
    "deeplabv2_resnet101": _deeplabv2(weights_hint=_PAPER_HINT),
    "deeplabv2_resnet101_single": _deeplabv2(arguments={"auxiliary": False}, weights_hint=_PAPER_HINT),
    "deeplabv2_resnet101_torchvision": _deeplabv2(
        arguments={"form": "torchvision"},
        weights_hint=_TORCHVISION_HINT,
        torchvision_weights="ResNet101_Weights.IMAGENET1K_V2",
    ),
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
        InputError: no network has this name; suggests the likely one, or lists all.
    """
    if name not in NETWORKS:
        raise InputError(f"network: unknown network {name!r}{suggestion(name, NETWORKS)}")
    return NETWORKS[name]


def build_network(name: str, num_classes: int) -> "nn.Module":
    """A freshly initialised network (the global torch seed decides the weights); InputError as ``network_entry``."""
    entry = network_entry(name)
    return resolve(entry.factory)(num_classes=num_classes, **entry.arguments)  # type: ignore[no-any-return]


def network_modules(name: str, *, pretrained: bool = False) -> tuple[str, ...]:
    """The modules that a network resolves to: roots of the code digest of whatever runs it.

    With ``pretrained``, the module that loads published weights is one of them.
    """
    entry = network_entry(name)
    references = [entry.factory] + ([entry.loader] if pretrained and entry.loader else [])
    return tuple(reference.partition(":")[0] for reference in references)


def pretrained_mistake(name: str, pretrained: str | None) -> str | None:
    """Why a network cannot start from ``pretrained`` (a path, ``TORCHVISION``, or ``None``: fresh weights), if so."""
    entry = network_entry(name)
    if pretrained is None:
        return None
    if entry.loader is None:
        others = ", ".join(other for other, known in NETWORKS.items() if known.loader)
        return f"{name} does not start from published weights; set pretrained to null, or take one of {others}"
    if pretrained == TORCHVISION and entry.torchvision_weights is None:
        fitting = ", ".join(other for other, known in NETWORKS.items() if known.torchvision_weights)
        return f"torchvision's weights fit {fitting}, not {name}"
    return None


def resolve(reference: str) -> Any:
    """The object that ``module:attribute`` names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
