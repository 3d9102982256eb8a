"""One training loop for the source model, the oracle and every self-training round."""

import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim import Optimizer
from tqdm import tqdm

from esl.classes import IGNORE
from esl.errors import InputError
from esl.losses import segmentation_loss
from esl.models import as_input
from esl.models.checkpoint import load_tensors, save_tensors
from esl.streams import Stream, batches

BatchNorm = Literal["per_domain", "frozen"]
"""How batch norm treats a batch.

``per_domain``: source and target pictures pass the network one after the other, each normalised by its own batch, and
the running statistics, which inference uses, are the target's (Chang et al. 2019, domain-specific batch norm, with
shared scales); without a target they are the source's. ``frozen``: the running statistics of the initial model
normalise both and are kept.
"""


@dataclass(frozen=True)
class TrainingSettings:
    """How long, how fast and on what a model trains."""

    iterations: int
    learning_rate: float  # at the first iteration
    weight_decay: float
    power: float  # of the polynomial schedule: rate * (1 - iteration / iterations) ** power
    source_batch: int  # labelled pictures per iteration and process
    target_batch: int  # target pictures per iteration and process; 0 without a target
    pseudo_label_weight: float  # of the target's cross-entropy beside the source's
    label_stride: int  # the losses compare every n-th row and column of the labels; 1: all
    batch_norm: BatchNorm
    log_every: int  # iterations averaged into a row of the log


@dataclass(frozen=True)
class Saving:
    """Where and how often a resumable state is written.

    ``identity`` is a plain description of everything that decides the result: a state of another one is left alone.
    """

    path: Path
    every: int  # iterations
    identity: dict[str, Any]


def polynomial_rate(iteration: int, settings: TrainingSettings) -> float:
    """The learning rate at ``iteration`` of the polynomial schedule (Chen et al. 2017, DeepLab, section 4.1)."""
    remaining = 1 - iteration / settings.iterations
    return settings.learning_rate * math.pow(remaining, settings.power)


Row = dict[str, int | float]
"""A row of the training log: means over the iterations since the row before."""


def train(
    network: nn.Module,
    source: Stream,
    target: Stream | None,
    settings: TrainingSettings,
    *,
    fabric: Fabric,
    workers: int,
    saving: Saving,
) -> list[Row]:
    """Trains ``network`` in place and returns the log.

    A target whose labels are all ``IGNORE`` moves no weight: it adds its statistics to batch norm, where that is not
    frozen, and nothing else.

    A state that ``saving`` names is resumed: an interrupted training ends in the same weights (on the CPU, bit for
    bit). ``workers`` processes read and augment each stream; their number changes nothing.

    Raises:
        InputError: the loss became NaN or infinite.
    """
    assert (target is None) == (settings.target_batch == 0)
    optimizer = torch.optim.AdamW(network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay)
    model, optimizer = fabric.setup(network.to(memory_format=torch.channels_last), optimizer)
    progress = _Progress.resume(saving, network, optimizer)
    model.train()
    if settings.batch_norm == "frozen":
        for norm in _batch_norms(model):
            norm.eval()
    feed = _feed(source, target, settings, progress.iteration, workers, fabric)
    images = settings.source_batch + settings.target_batch
    with tqdm(
        total=settings.iterations * images, initial=progress.iteration * images, unit="image", mininterval=5
    ) as bar:
        for iteration in range(progress.iteration, settings.iterations):
            rate = polynomial_rate(iteration, settings)
            for group in optimizer.param_groups:
                group["lr"] = rate
            source_loss, target_loss, labelled = _losses(model, settings, *next(feed))
            optimizer.zero_grad()
            fabric.backward(source_loss + settings.pseudo_label_weight * target_loss)
            optimizer.step()
            progress.count(rate, source_loss, target_loss, labelled)
            last = iteration + 1 == settings.iterations
            if (iteration + 1) % settings.log_every == 0 or last:
                row = progress.close_row()
                bar.set_postfix(source=f"{row['source_loss']:.3f}", target=f"{row['target_loss']:.3f}")
            if (iteration + 1) % saving.every == 0 and not last and fabric.is_global_zero:
                progress.save(saving, network, optimizer)
            bar.update(images)
    return progress.rows


def _batch_norms(model: nn.Module) -> list[_BatchNorm]:
    return [module for module in model.modules() if isinstance(module, _BatchNorm)]


@contextmanager
def _keeping_statistics(model: nn.Module) -> Iterator[None]:
    """Within it the running statistics of batch norm do not move."""
    norms = _batch_norms(model)
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    yield
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


def _feed(
    source: Stream, target: Stream | None, settings: TrainingSettings, start: int, workers: int, fabric: Fabric
) -> Iterator[list[Tensor]]:
    """Source picture, source label and, with a target, target picture and label, batch by batch, on the device."""
    share = {"start": start, "stop": settings.iterations, "rank": fabric.global_rank, "world_size": fabric.world_size}
    streams = [batches(source, batch_size=settings.source_batch, workers=workers, **share)]
    if target is not None:
        streams.append(batches(target, batch_size=settings.target_batch, workers=workers, **share))
    for parts in zip(*streams, strict=True):
        yield [fabric.to_device(tensor) for part in parts for tensor in part]


def _losses(
    model: nn.Module,
    settings: TrainingSettings,
    source_picture: Tensor,  # (S, 3, h, w) uint8
    source_label: Tensor,  # (S, h, w) uint8
    target_picture: Tensor | None = None,  # (T, 3, h, w) uint8
    target_label: Tensor | None = None,  # (T, h, w) uint8
) -> tuple[Tensor, Tensor, Tensor]:
    """Source loss, target loss, and the share of target pixels that carry a pseudo-label."""
    stride = settings.label_stride
    if target_picture is None or target_label is None:
        nothing = source_picture.new_zeros((), dtype=torch.float32)
        return segmentation_loss(model(as_input(source_picture)), source_label, stride), nothing, nothing
    if settings.batch_norm == "frozen":  # one pass is faster, and the same
        logits = model(as_input(torch.cat([source_picture, target_picture])))
        source_logits, target_logits = logits[: len(source_picture)], logits[len(source_picture) :]
    else:
        with _keeping_statistics(model):
            source_logits = model(as_input(source_picture))
        target_logits = model(as_input(target_picture))
    source_loss = segmentation_loss(source_logits, source_label, stride)
    target_loss = segmentation_loss(target_logits, target_label, stride)
    return source_loss, target_loss, (target_label != IGNORE).float().mean()


@dataclass
class _Progress:
    """How far a training is: the next iteration, the log so far, and the sums of the row being filled."""

    iteration: int = 0
    rows: list[Row] = field(default_factory=list)
    counted: int = 0
    rate: float = 0.0
    sums: Tensor = field(default_factory=lambda: torch.zeros(3))

    def count(self, rate: float, *values: Tensor) -> None:
        """Adds one iteration; nothing is read back from the device before the row is closed."""
        self.sums = self.sums.to(values[0].device) + torch.stack([value.detach().float() for value in values])
        self.rate, self.counted, self.iteration = rate, self.counted + 1, self.iteration + 1

    def close_row(self) -> Row:
        """Ends the row; InputError when a loss in it was not finite."""
        source_loss, target_loss, labelled = (self.sums / self.counted).tolist()
        if not math.isfinite(source_loss + target_loss):
            raise InputError(f"the loss is not finite at iteration {self.iteration}: lower the learning rate")
        row: Row = {
            "iteration": self.iteration,
            "learning_rate": self.rate,
            "source_loss": source_loss,
            "target_loss": target_loss,
            "target_labelled": labelled,
        }
        self.rows.append(row)
        self.counted, self.sums = 0, torch.zeros(3)
        return row

    def save(self, saving: Saving, network: nn.Module, optimizer: Optimizer) -> None:
        """Writes everything that a resumed training needs."""
        progress = {name: getattr(self, name) for name in ("iteration", "rows", "counted", "rate")}
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "sums": self.sums.cpu()}
        save_tensors(saving.path, {"identity": saving.identity, "progress": progress, **state})

    @classmethod
    def resume(cls, saving: Saving, network: nn.Module, optimizer: Optimizer) -> "_Progress":
        """The progress saved, with weights and optimiser put back; a fresh start where there is none to continue."""
        if not saving.path.is_file():
            return cls()
        state = load_tensors(saving.path)
        if state.get("identity") != saving.identity:
            print(f"{saving.path}: of a training with other settings or inputs; starting anew", file=sys.stderr)
            return cls()
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        progress = cls(**state["progress"], sums=state["sums"])
        print(f"{saving.path}: resuming at iteration {progress.iteration}", file=sys.stderr)
        return progress
