"""Online self-training: the student learns the predictions of a moving average of itself on plain target images.

DACS (Tranheden et al. 2021), DAFormer (Hoyer et al. 2022), MIC (Hoyer et al. 2023), SAC (Araslanov & Roth 2021).
Shape suffixes: T target images, C classes, H W pixels, h w pixels that losses compare (every ``label_stride``-th).
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from esl.models.network import as_input
from esl.training.losses import outputs, subsampled, upsampled, weighted_pixel_loss, weighted_sum
from esl.training.terms.base import TargetBatch, TargetTerm, TermContext
from esl.training.terms.ema.settings import EmaSettings
from esl.training.terms.ema.teacher import Teacher
from esl.training.terms.ema.views import distorted, masked, pasted_classes


class _Labels(NamedTuple):
    """Labels of the compared pixels, and the weight of each."""

    label: Tensor  # (T, h, w) int64
    weight: Tensor  # (T, h, w) float32 in [0, 1]


class Ema(TargetTerm):
    """Cross-entropy of the student's views of target images against the teacher's pseudo-labels."""

    reads_logits = False

    def __init__(self, settings: EmaSettings, context: TermContext) -> None:
        self._settings, self._context = settings, context
        self._teacher = Teacher(
            context.network,
            context.fabric,
            alpha=settings.alpha,
            statistics=settings.statistics,
            flip=settings.flip,
        )

    def loss(self, batch: TargetBatch) -> Tensor:
        """The weighted loss on mixed images, and that on masked ones if there are any: a scalar."""
        settings = self._settings
        pseudo = self._pseudo_labels(batch.image)
        weights, losses = [], []
        if settings.weight or not settings.mask_ratio:
            image, labels = self._mixed(batch, pseudo) if settings.mix == "classmix" else (batch.image, pseudo)
            weights.append(settings.weight)
            losses.append(self._cross_entropy(self._distorted(image), labels))
        if settings.mask_ratio:
            image = masked(self._distorted(batch.image), ratio=settings.mask_ratio, block=settings.mask_block)
            weights.append(settings.mask_weight)
            losses.append(self._cross_entropy(image, pseudo))
        return weighted_sum(weights, losses)

    def after_step(self, batch: TargetBatch) -> None:
        """The teacher follows the student."""
        self._teacher.follow(batch.iteration + 1)

    def checkpoint_weights(self) -> dict[str, Tensor] | None:
        """The teacher's, if the settings say so."""
        return self._teacher.state_dict() if self._settings.final == "teacher" else None

    def state_dict(self) -> dict[str, Any]:
        """The teacher."""
        return self._teacher.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restores the state that ``state_dict`` returned."""
        self._teacher.load_state_dict(state)

    def _pseudo_labels(self, image_T3HW: Tensor) -> _Labels:
        """The teacher's predictions for plain target images, weighted as the settings say."""
        height, width = image_T3HW.shape[-2:]
        probability = upsampled(self._teacher.probability(image_T3HW), (height, width), self._context.label_stride)
        confidence, label = probability.max(dim=1)
        confident = (confidence > self._settings.confidence).float()
        if self._settings.weighting == "none":
            return _Labels(label, torch.ones_like(confident))
        if self._settings.weighting == "pixel":
            return _Labels(label, confident)
        share = confident.mean()
        if self._context.fabric.world_size > 1:  # of the images of all processes
            share = self._context.fabric.all_reduce(share, reduce_op="mean")  # type: ignore[assignment]
        return _Labels(label, share.expand_as(confident))

    def _mixed(self, batch: TargetBatch, pseudo: _Labels) -> tuple[Tensor, _Labels]:
        """Target images (T, 3, H, W) with pixels of source images, taken in turn, and their labels."""
        rows = torch.arange(len(batch.image), device=batch.image.device) % len(batch.source_image)
        source_image, source_label = batch.source_image[rows], batch.source_label[rows]
        pasted_THW = pasted_classes(source_label)
        stride = self._context.label_stride
        pasted_Thw = subsampled(pasted_THW, stride)
        label = torch.where(pasted_Thw, subsampled(source_label, stride).long(), pseudo.label)
        weight = pseudo.weight.masked_fill(pasted_Thw, 1.0)
        return torch.where(pasted_THW[:, None], source_image, batch.image), _Labels(label, weight)

    def _distorted(self, image_T3HW: Tensor) -> Tensor:
        settings = self._settings
        return distorted(
            image_T3HW, colour=settings.colour, colour_probability=settings.colour_probability, blur=settings.blur
        )

    def _cross_entropy(self, image_T3HW: Tensor, labels: _Labels) -> Tensor:
        """The cross-entropy of the student on images (T, 3, H, W) uint8, over its outputs: a scalar."""
        height, width = image_T3HW.shape[-2:]
        with self._context.own_pass():
            logits = self._context.model(as_input(image_T3HW))
        maps = (upsampled(output, (height, width), self._context.label_stride) for output in outputs(logits))
        losses = [weighted_pixel_loss(map_, labels.label, labels.weight) for map_ in maps]
        return weighted_sum((1.0, self._context.auxiliary_weight), losses)
