"""Networks of segmentation-models-pytorch by decoder and encoder, its own or timm's, always built without weights."""

import math
import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from esl.errors import InputError, suggestion
from esl.models.dynamo import without_compiler
from esl.models.logits import Logits

with without_compiler():
    import segmentation_models_pytorch as smp
    import timm
    from segmentation_models_pytorch.base.initialization import initialize_decoder
    from segmentation_models_pytorch.decoders.dpt.decoder import DPTDecoder
    from segmentation_models_pytorch.encoders import get_encoder_names
    from timm.data import (
        IMAGENET_DEFAULT_MEAN,
        IMAGENET_DEFAULT_STD,
        IMAGENET_INCEPTION_MEAN,
        IMAGENET_INCEPTION_STD,
    )

STRIDE = 4
"""The finest stride of the logits: maps of probabilities at full resolution would fill any disk."""

TIMM = "tu-"
"""smp's prefix for the names of timm's encoders."""

PATCH = 16
"""The only side of a vision transformer's patch that smp's DPT supports."""

IMAGENET = (IMAGENET_DEFAULT_MEAN, IMAGENET_DEFAULT_STD)
HALF = (IMAGENET_INCEPTION_MEAN, IMAGENET_INCEPTION_STD)
STATISTICS = {"xception": HALF, "inceptionv4": HALF, "inceptionresnetv2": HALF}
"""Mean and deviation (RGB in [0, 1]) of smp's own encoders with other statistics than ImageNet's, by their sources."""


class SmpNetwork(nn.Module):
    """A decoder of segmentation-models-pytorch over an encoder, with fresh weights; there is no auxiliary classifier.

    Encoders of timm are ``tu-`` and their name there; plain vision transformers go with ``dpt``. ``options``
    are further arguments of smp's model, such as the widths of the decoder.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, decoder: str, encoder: str, num_classes: int, options: Mapping[str, Any] = MappingProxyType({})
    ) -> None:
        super().__init__()
        options = {**options}
        if decoder == "dpt":  # the only one that needs to be told that images come in several sizes
            options["dynamic_img_size"] = True
        with warnings.catch_warnings(), without_compiler():
            warnings.filterwarnings("ignore", "Encoder does not have prefix tokens")  # which is fine
            self.model = smp.create_model(decoder, encoder, encoder_weights=None, classes=num_classes, **options)
        if decoder == "dpt":
            _fit_dpt(self.model)
        _without_upsampling(self.model.segmentation_head)
        self.encoder_name = encoder
        mean, std = _statistics(encoder)
        self.register_buffer("mean", torch.tensor(mean).reshape(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).reshape(1, 3, 1, 1), persistent=False)
        self._multiple = _multiple(self.model.encoder)

    def forward(self, image_N3HW: Tensor) -> Logits:
        """Logits (N, C, ceil(H/s), ceil(W/s)) of RGB images in [0, 1], at the decoder's stride s, 4 or more.

        Images are padded at the right and the bottom to a multiple of the encoder's divisor, and the logits of the
        padding are cut off. A decoder that reaches full resolution is averaged over 4x4 pixels.
        """
        height, width = image_N3HW.shape[-2:]
        right, bottom = -width % self._multiple, -height % self._multiple
        padded = F.pad((image_N3HW - self.mean) / self.std, (0, right, 0, bottom), mode="replicate")
        logits = self.model(padded)
        stride = padded.shape[-1] / logits.shape[-1]
        if stride < STRIDE:
            logits = F.interpolate(logits, size=[length // STRIDE for length in padded.shape[-2:]], mode="area")
            stride = padded.shape[-1] / logits.shape[-1]
        return Logits(logits[..., : math.ceil(height / stride), : math.ceil(width / stride)])


def check(decoder: str, encoder: str) -> None:
    """Builds the network and runs it, without memory for either.

    Raises:
        InputError: there is no such encoder, or it does not go with the decoder.
    """
    if encoder.startswith(TIMM):
        known = [TIMM + name for name in (*timm.list_models(), *timm.list_models(pretrained=True))]
    else:
        known = get_encoder_names()
    if encoder not in known:
        raise InputError(f"unknown encoder {encoder!r}{suggestion(encoder, known)}; timm's begin with {TIMM!r}")
    try:
        with torch.device("meta"), torch.inference_mode():
            SmpNetwork(decoder, encoder, 2).eval()(torch.empty(1, 3, 64, 64))
    except (AssertionError, KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            f"the decoder {decoder!r} does not go with the encoder {encoder!r} ({reason}); plain vision transformers "
            "go with dpt, other encoders with fpn or unet"
        ) from None
    except (NotImplementedError, RuntimeError):
        return  # not everything can be built or run without memory


def _statistics(encoder: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and deviation of the images that its published weights were trained on, RGB in [0, 1]."""
    if not encoder.startswith(TIMM):
        return STATISTICS.get(encoder, IMAGENET)
    published = timm.models.get_pretrained_cfg(encoder.removeprefix(TIMM))
    return IMAGENET if published is None else (tuple(published.mean), tuple(published.std))


def _fit_dpt(model: nn.Module) -> None:
    """Scales a vision transformer's patches by 4, 2, 1 and 1/2, whatever their size (Ranftl et al. 2021).

    smp's decoder takes the scales from the size of a patch in pixels, which only works for 16.
    """
    encoder: Any = model.encoder
    if len({*encoder.output_strides}) == 1 and encoder.output_stride != PATCH:
        model.decoder = DPTDecoder(
            encoder_out_channels=encoder.out_channels,
            encoder_output_strides=[PATCH] * len(encoder.out_channels),
            encoder_has_prefix_tokens=encoder.has_prefix_tokens,
        )
        initialize_decoder(model.decoder)


def _without_upsampling(head: nn.Module) -> None:
    """Logits stay at the decoder's stride: this project upsamples probabilities."""
    for name, part in head.named_children():
        if isinstance(part, nn.Upsample):
            setattr(head, name, nn.Identity())
    if hasattr(head, "upsampling_factor"):  # of dpt
        head.upsampling_factor = 1.0  # type: ignore[assignment]


def _multiple(encoder: Any) -> int:
    """The divisor of the sides of an image: twice a patch (28 for one of 14), or 32."""
    return math.lcm(32, encoder.output_stride) if encoder.output_stride % 14 else 2 * int(encoder.output_stride)
