"""DeepLab v2 on ResNet-101, the network of AdaptSegNet, ADVENT, BDL and ESL.

Names in the state dict are the same as in the checkpoints of these projects. Sources: Chen et al. 2017 (DeepLab),
Tsai et al. 2018 (AdaptSegNet: the classifier on layer 3), Vu et al. 2019 (ADVENT), Saporta et al. 2020 (ESL).

Shape suffixes: N images, C classes, H W of the image, h w at the network's stride.
"""

from typing import Any, Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from esl.errors import InputError
from esl.models.logits import Logits

Form = Literal["caffe", "torchvision"]
"""The two forms of ResNet-101. Weights of one give nonsense in the other, although every name and shape agrees.

``caffe``, as published by MSRA and used by the papers: the stride is in a block's first 1x1 convolution, max pooling
rounds sizes up, every block of a layer has the layer's dilation, images are BGR in 0..255 minus a mean.
``torchvision``: the stride is in the 3x3 convolution, max pooling rounds sizes down, a layer's first block has the
dilation of the layer before, images are RGB in [0, 1], normalised by the mean and standard deviation of ImageNet.
"""

RESNET101 = (3, 4, 23, 3)  # blocks in layers 1 to 4
CLASSIFIER_DILATIONS = (6, 12, 18, 24)  # the large field of view of DeepLab v2
CLASSIFIERS = ("layer5.", "layer6.")  # auxiliary and main
MAIN_CHANNELS = 2048  # what the main classifier sees
CLASSIFIER_RATE = 10  # times the backbone's learning rate (DeepLab, ADVENT)

CAFFE_MEAN_BGR = (104.00698793, 116.66876762, 122.67891434)  # of ImageNet in 0..255, no division by a deviation
TORCHVISION_MEAN_RGB = (0.485, 0.456, 0.406)  # torchvision.models.ResNet101_Weights
TORCHVISION_STD_RGB = (0.229, 0.224, 0.225)


def _batch_norm(channels: int) -> nn.BatchNorm2d:
    """Scale and shift are never trained; the running statistics still follow ``train()`` and ``eval()``."""
    return nn.BatchNorm2d(channels).requires_grad_(False)


class _Bottleneck(nn.Module):
    """1x1, 3x3 and 1x1 convolution and a skip connection, which the first block of a layer projects."""

    def __init__(self, in_channels: int, width: int, form: Form, stride: int, dilation: int, project: bool) -> None:
        super().__init__()
        first, second = (stride, 1) if form == "caffe" else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, width, 1, first, bias=False)
        self.bn1 = _batch_norm(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, padding=dilation, dilation=dilation, bias=False)
        self.bn2 = _batch_norm(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = _batch_norm(4 * width)
        self.downsample: nn.Sequential | None = None
        if project:
            self.downsample = nn.Sequential(
                nn.Conv2d(in_channels, 4 * width, 1, stride, bias=False), _batch_norm(4 * width)
            )

    def forward(self, x: Tensor) -> Tensor:
        skip = x if self.downsample is None else self.downsample(x)
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)
        x = F.relu(self.bn2(self.conv2(x)), inplace=True)
        return F.relu(self.bn3(self.conv3(x)) + skip, inplace=True)


def _layer(
    in_channels: int, width: int, num_blocks: int, form: Form, *, stride: int = 1, dilation: int = 1
) -> nn.Sequential:
    """Blocks that end with 4 * ``width`` channels; the first one takes the stride."""
    first_dilation = dilation if form == "caffe" else max(dilation // 2, 1)
    blocks = [_Bottleneck(in_channels, width, form, stride, first_dilation, project=True)]
    blocks += [_Bottleneck(4 * width, width, form, 1, dilation, project=False) for _ in range(num_blocks - 1)]
    return nn.Sequential(*blocks)


class _Classifier(nn.Module):
    """The sum of four dilated 3x3 convolutions."""

    def __init__(self, in_channels: int, num_classes: int) -> None:
        super().__init__()
        self.conv2d_list = nn.ModuleList(
            nn.Conv2d(in_channels, num_classes, 3, padding=dilation, dilation=dilation)
            for dilation in CLASSIFIER_DILATIONS
        )

    def forward(self, x: Tensor) -> Tensor:
        first, *others = self.conv2d_list
        logits: Tensor = first(x)
        for convolution in others:
            logits = logits + convolution(x)
        return logits


class DeepLabV2(nn.Module):
    """ResNet-101 at stride 8 with one or two classifiers; 44 million parameters at 19 classes.

    ``auxiliary`` adds the classifier on layer 3 (the multi-level network of AdaptSegNet and ADVENT); fewer ``blocks``
    make a quick network for tests. Fresh weights are N(0, 0.01), as in the public code: train from published weights
    instead (``deeplabv2_weights``).

    Raises:
        InputError: ``form`` is unknown.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        num_classes: int,
        *,
        form: Form = "caffe",
        auxiliary: bool = True,
        blocks: tuple[int, int, int, int] = RESNET101,
    ) -> None:
        super().__init__()
        if form not in get_args(Form):
            raise InputError(f"form: expected one of {', '.join(get_args(Form))}, but got {form!r}")
        self.form: Form = form
        self.num_classes = num_classes
        mean, std = (CAFFE_MEAN_BGR, (1.0,) * 3) if form == "caffe" else (TORCHVISION_MEAN_RGB, TORCHVISION_STD_RGB)
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1), persistent=False)
        self.conv1 = nn.Conv2d(3, 64, 7, 2, padding=3, bias=False)
        self.bn1 = _batch_norm(64)
        self.maxpool = nn.MaxPool2d(3, 2, padding=1, ceil_mode=form == "caffe")
        self.layer1 = _layer(64, 64, blocks[0], form)
        self.layer2 = _layer(256, 128, blocks[1], form, stride=2)
        self.layer3 = _layer(512, 256, blocks[2], form, dilation=2)
        self.layer4 = _layer(1024, 512, blocks[3], form, dilation=4)
        self.layer5 = _Classifier(1024, num_classes) if auxiliary else None
        self.layer6 = _Classifier(MAIN_CHANNELS, num_classes)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.normal_(module.weight, std=0.01)

    def blocks(self) -> list[nn.Module]:
        """The modules that activation checkpointing wraps: every residual block."""
        return [block for layer in (self.layer1, self.layer2, self.layer3, self.layer4) for block in layer]

    def forward(self, image_N3HW: Tensor) -> Logits:
        """Logits (N, C, h, w) float of RGB images in [0, 1].

        h is ceil((floor(ceil(H/2)/2) + 1)/2) in the Caffe form (65 of 512 rows) and ceil(H/8) in torchvision's (64);
        the same for w.
        """
        image = image_N3HW.flip(1) * 255 if self.form == "caffe" else image_N3HW
        x = F.relu(self.bn1(self.conv1((image - self.mean) / self.std)), inplace=True)  # (N, 64, H/2, W/2)
        x = self.layer2(self.layer1(self.maxpool(x)))  # (N, 512, h, w)
        x = self.layer3(x)  # (N, 1024, h, w)
        auxiliary = None if self.layer5 is None else self.layer5(x)
        return Logits(self.layer6(self.layer4(x)), auxiliary)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """Two groups for ``torch.optim.SGD``: the backbone at ``learning_rate``, the classifiers at ten times that.

        Every trained parameter is listed once, in the order of ``named_parameters``.
        """
        groups: dict[bool, list[nn.Parameter]] = {False: [], True: []}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                groups[name.startswith(CLASSIFIERS)].append(parameter)
        return [
            {"params": groups[False], "lr": learning_rate},
            {"params": groups[True], "lr": CLASSIFIER_RATE * learning_rate},
        ]

    def repeated_backbone(self) -> list[nn.Parameter]:
        """The trained parameters of the backbone as the public code of ADVENT lists them for SGD.

        Each is there once for every module around it, from ``layer1`` or the like inwards: convolutions three times,
        those of shortcuts four times, the first one once.
        """
        parts = (self.conv1, self.bn1, self.layer1, self.layer2, self.layer3, self.layer4)
        return [p for part in parts for module in part.modules() for p in module.parameters() if p.requires_grad]
