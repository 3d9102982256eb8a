"""One iteration of a training: the gradients of every loss, and a step of every optimiser."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from esl.classes import IGNORE
from esl.models.execution import batch_norms, keeping_statistics
from esl.models.logits import Logits, divided
from esl.models.network import as_input
from esl.training.feed import Batch, Labelled
from esl.training.losses import outputs, segmentation_loss, subsampled, weighted_sum
from esl.training.seeds import Purpose
from esl.training.settings import TrainSettings
from esl.training.style import with_target_style
from esl.training.terms.base import NO_LOGITS, TargetBatch, TargetTerm


@dataclass(frozen=True)
class Step:
    """One iteration of a training, and all that it updates."""

    model: nn.Module  # through ``fabric``
    optimizer: Optimizer  # through ``fabric``
    scheduler: LRScheduler
    term: TargetTerm | None
    settings: TrainSettings
    fabric: Fabric
    pseudo_labels: bool  # whether the cross-entropy of the target is computed

    def __call__(self, iteration: int, batches: list[Batch]) -> Tensor:
        """Trains on the batches of one iteration, whose gradients are accumulated.

        Returns the losses of source, target, target term and labelled target images, and the share of target pixels
        with a pseudo-label, (5,) float32 on the device: nothing is read back.
        """
        self.optimizer.zero_grad()
        # random draws in the network depend on iteration and process alone, so no random state has to be saved
        draws = np.random.default_rng([self.settings.seed, Purpose.STEP, iteration, self.fabric.global_rank])
        torch.manual_seed(int(draws.integers(2**63)))
        losses, target = [], None
        for number, batch in enumerate(batches, start=1):
            logged, target = self._accumulate(batch, iteration, last=number == len(batches))
            losses.append(logged)
        self.optimizer.step()
        if self.term is not None and target is not None:
            self.term.after_step(target)
        self.scheduler.step()
        return torch.stack(losses).mean(dim=0)

    def _accumulate(self, batch: Batch, iteration: int, *, last: bool) -> tuple[Tensor, TargetBatch | None]:
        """Adds the gradients of one batch; returns the values to log, (5,), and the target batch if there is one."""
        batch = self._with_style(batch)
        accumulate = self.settings.optimization.accumulate
        with self._exchanging(last and batch.target is None), self._source_statistics():
            source_logits = self.model(as_input(batch.source.image))
            source_loss = self._segmentation(source_logits, batch.source.label)
            self.fabric.backward(source_loss / accumulate)
        zero = source_loss.new_zeros(())
        if batch.target is None:
            return torch.stack([source_loss.detach(), zero, zero, zero, zero]), None
        with self._exchanging(last):
            logits, labelled_logits = self._target_logits(batch.target.image, batch.labelled)
            target = TargetBatch(
                iteration,
                image=batch.target.image,
                label=batch.target.label,
                logits=logits,
                source_image=batch.source.image,
                source_label=batch.source.label,
                source_logits=source_logits,
            )
            target_loss = self._segmentation(logits, target.label) if self.pseudo_labels else zero
            term_loss = zero if self.term is None else self.term.loss(target)
            labelled_loss = (
                zero if batch.labelled is None else self._segmentation(labelled_logits, batch.labelled.label)
            )
            loss = self._pseudo_label_weight * target_loss + term_loss + labelled_loss
            self.fabric.backward(loss / accumulate)
        share = (target.label != IGNORE).float().mean()
        losses = (source_loss, target_loss, term_loss, labelled_loss, share)
        return torch.stack([loss.detach() for loss in losses]), target

    def _with_style(self, batch: Batch) -> Batch:
        """The batch, its source images in the style of the target where the settings say so."""
        settings = self.settings.target
        if settings is None or batch.target is None or settings.style == "none":
            return batch
        image = with_target_style(
            batch.source.image, batch.target.image, band=settings.style_band, share=settings.style_share
        )
        return batch._replace(source=batch.source._replace(image=image))

    def _target_logits(self, image: Tensor, labelled: Labelled | None) -> tuple[Logits, Logits]:
        """Logits of plain target images, (T, 3, H, W) uint8, if any loss needs their gradients; and of labelled ones.

        Both pass together: batch norm sees one domain. Without a loss on the plain ones, `per_domain` batch norm still
        needs them for its running statistics: they pass without gradients. Otherwise they do not pass at all, and
        ``shared`` statistics follow the images of the term.
        """
        if self.pseudo_labels or self.term is None or self.term.reads_logits:
            images = image if labelled is None else torch.cat([image, labelled.image])
            return divided(self.model(as_input(images)), len(image))
        if self._keeps_source_out and batch_norms(self.model):
            with torch.no_grad():
                self.model(as_input(image))
        return NO_LOGITS, NO_LOGITS if labelled is None else self.model(as_input(labelled.image))

    @property
    def _pseudo_label_weight(self) -> float:
        return 0.0 if self.settings.target is None else self.settings.target.pseudo_label_weight

    def _segmentation(self, logits: Logits, label: Tensor) -> Tensor:
        """Cross-entropy of every output, averaged over the labelled pixels of all processes: a scalar."""
        stride = self.settings.optimization.label_stride
        pixels = (subsampled(label, stride) != IGNORE).sum()
        if self.fabric.world_size > 1:  # gradients are averaged over processes, whatever the pixels of each
            pixels = self.fabric.all_reduce(pixels.float(), reduce_op="mean")  # type: ignore[assignment]
        losses = [segmentation_loss(output, label, stride, pixels=pixels.clamp(min=1)) for output in outputs(logits)]
        return weighted_sum((1.0, self.settings.optimization.auxiliary_weight), losses)

    def _source_statistics(self) -> AbstractContextManager[None]:
        """Within the block, batch norm's running statistics do not follow the source if they belong to the target."""
        return keeping_statistics(self.model) if self._keeps_source_out else nullcontext()

    @property
    def _keeps_source_out(self) -> bool:
        return self.settings.target is not None and self.settings.target.batch_norm == "per_domain"

    def _exchanging(self, exchanging: bool) -> AbstractContextManager[Any]:
        """The block in which processes exchange gradients, or do not: once per iteration, at its last loss."""
        return self.fabric.no_backward_sync(self.model, enabled=not exchanging)  # type: ignore[arg-type]
