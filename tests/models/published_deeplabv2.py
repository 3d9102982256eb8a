"""The published network of ADVENT and AdaptSegNet a second time, from its description, to test DeepLabV2 against."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from esl.models.networks.deeplabv2 import Form

CLASSES = 5
QUICK = (1, 1, 1, 1)  # blocks of the quickest network
TRUNK = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")


def described(num_classes: int, *, auxiliary: bool = True, blocks: tuple[int, ...] = (3, 4, 23, 3)) -> dict[str, Any]:
    """Every name of a published state dict and its shape, from the description of ResNet-101 and DeepLab v2."""
    shapes: dict[str, tuple[int, ...]] = {}

    def norm(name: str, channels: int) -> None:
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.{part}"] = (channels,)
        shapes[f"{name}.num_batches_tracked"] = ()

    shapes["conv1.weight"] = (64, 3, 7, 7)
    norm("bn1", 64)
    incoming = 64
    for layer, (count, width) in enumerate(zip(blocks, (64, 128, 256, 512), strict=True), start=1):
        for block in range(count):
            place = f"layer{layer}.{block}"
            shapes[f"{place}.conv1.weight"] = (width, incoming, 1, 1)
            norm(f"{place}.bn1", width)
            shapes[f"{place}.conv2.weight"] = (width, width, 3, 3)
            norm(f"{place}.bn2", width)
            shapes[f"{place}.conv3.weight"] = (4 * width, width, 1, 1)
            norm(f"{place}.bn3", 4 * width)
            if block == 0:
                shapes[f"{place}.downsample.0.weight"] = (4 * width, incoming, 1, 1)
                norm(f"{place}.downsample.1", 4 * width)
            incoming = 4 * width
    for layer, channels in ((5, 1024), (6, 2048)) if auxiliary else ((6, 2048),):
        for branch in range(4):
            shapes[f"layer{layer}.conv2d_list.{branch}.weight"] = (num_classes, channels, 3, 3)
            shapes[f"layer{layer}.conv2d_list.{branch}.bias"] = (num_classes,)
    return shapes


def drawn(shapes: dict[str, Any], seed: int = 0) -> dict[str, Tensor]:
    """Weights under which every layer matters: activations neither fade nor explode over a hundred layers."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, shape in shapes.items():
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(1000)
        elif name.endswith("running_var"):
            state[name] = 0.5 + torch.rand(shape, generator=generator)
        elif len(shape) == 4:
            state[name] = torch.randn(shape, generator=generator) * math.sqrt(2 / math.prod(shape[1:]))
        elif name.endswith("weight"):  # of batch norm; small where a block adds to its skip connection
            state[name] = (0.2 if "bn3" in name else 1.0) * (0.5 + torch.rand(shape, generator=generator))
        else:
            state[name] = 0.2 * torch.randn(shape, generator=generator)
    state["conv1.weight"] *= 0.02  # images come in 0..255
    return state


def taps(x: Tensor, size: int, stride: int, dilation: int) -> Iterator[tuple[int, int, Tensor]]:
    """The padded input under each element of a kernel: its row and column in the kernel, and (N, C, h, w)."""
    reach = dilation * (size - 1)
    height, width = x.shape[-2] - reach, x.shape[-1] - reach
    for row in range(size):
        for column in range(size):
            top, left = row * dilation, column * dilation
            yield row, column, x[..., top : top + height : stride, left : left + width : stride]


def convolved(x: Tensor, weight: Tensor, stride: int = 1, padding: int = 0, dilation: int = 1) -> Tensor:
    """A convolution as the sum of one matrix product for each element of the kernel."""
    padded = torch.nn.functional.pad(x, (padding,) * 4)
    return sum(  # type: ignore[return-value]
        torch.einsum("oc,nchw->nohw", weight[:, :, row, column], window)
        for row, column, window in taps(padded, weight.shape[-1], stride, dilation)
    )


def pooled(x: Tensor, *, round_up: bool) -> Tensor:
    """The maximum of 3x3 windows at every second place, beginning one pixel outside."""
    after = [1 + (round_up and length % 2 == 0) for length in x.shape[-2:]]
    padded = torch.nn.functional.pad(x, (1, after[1], 1, after[0]), value=-math.inf)
    return torch.stack([window for _, _, window in taps(padded, 3, 2, 1)]).amax(dim=0)


def normalised(x: Tensor, state: dict[str, Tensor], name: str) -> Tensor:
    weight, bias, mean, variance = (
        state[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / (variance + 1e-5).sqrt() * weight + bias


def classified(x: Tensor, state: dict[str, Tensor], layer: str) -> Tensor:
    return sum(  # type: ignore[return-value]
        convolved(x, state[f"{layer}.conv2d_list.{branch}.weight"], 1, dilation, dilation)
        + state[f"{layer}.conv2d_list.{branch}.bias"][:, None, None]
        for branch, dilation in enumerate((6, 12, 18, 24))
    )


def published(state: dict[str, Tensor], image: Tensor, form: Form) -> tuple[Tensor, Tensor]:
    """Main and auxiliary logits of RGB images in [0, 1], in float64."""
    state = {name: value.double() for name, value in state.items()}
    red, green, blue = image.double().unbind(dim=1)
    if form == "caffe":
        channels = [255 * blue - 104.00698793, 255 * green - 116.66876762, 255 * red - 122.67891434]
    else:
        channels = [(red - 0.485) / 0.229, (green - 0.456) / 0.224, (blue - 0.406) / 0.225]
    x = convolved(torch.stack(channels, dim=1), state["conv1.weight"], 2, 3)
    x = pooled(normalised(x, state, "bn1").clamp(min=0), round_up=form == "caffe")
    for layer, stride, dilations in ((1, 1, (1, 1)), (2, 2, (1, 1)), (3, 1, (1, 2)), (4, 1, (2, 4))):
        block = 0
        while (place := f"layer{layer}.{block}") + ".conv1.weight" in state:
            first = stride if block == 0 else 1
            dilation = dilations[0] if form == "torchvision" and block == 0 else dilations[1]
            in_1x1, in_3x3 = (first, 1) if form == "caffe" else (1, first)
            y = convolved(x, state[f"{place}.conv1.weight"], in_1x1)
            y = normalised(y, state, f"{place}.bn1").clamp(min=0)
            y = convolved(y, state[f"{place}.conv2.weight"], in_3x3, dilation, dilation)
            y = normalised(y, state, f"{place}.bn2").clamp(min=0)
            y = normalised(convolved(y, state[f"{place}.conv3.weight"]), state, f"{place}.bn3")
            if block == 0:
                x = convolved(x, state[f"{place}.downsample.0.weight"], first)
                x = normalised(x, state, f"{place}.downsample.1")
            x = (x + y).clamp(min=0)
            block += 1
        if layer == 3:
            auxiliary = classified(x, state, "layer5")
    return classified(x, state, "layer6"), auxiliary
