"""One training loop for the source model, the oracle and every self-training round."""

import math
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from esl.classes import IGNORE
from esl.data.stream import Stream, batches
from esl.errors import InputError
from esl.models.checkpoint import load_tensors, save_tensors
from esl.models.execution import batch_norms, checkpoint_activations, compile_network, keeping_statistics
from esl.models.registry import Logits, as_input, parameter_groups
from esl.training.losses import compared, segmentation_loss, upsampled
from esl.training.terms.advent.adversary import Adversary, outputs
from esl.training.terms.entropy import minent_loss

BatchNorm = Literal["per_domain", "shared", "frozen"]
"""How batch norm treats a batch.

``per_domain``: source and target pictures pass the network one after the other, each normalised by its own batch, and
the running statistics, which inference uses, are the target's (Chang et al. 2019, domain-specific batch norm, with
shared scales); without a target they are the source's. ``shared``: the same, but the running statistics follow both in
turn, as in the public code of ADVENT. ``frozen``: the running statistics of the initial model normalise both and are
kept.
"""

Adaptation = Literal["none", "minent", "advent"]
"""What is asked of the target beside pseudo-labels: nothing, low entropy, or entropy maps like the source's."""


@dataclass(frozen=True)
class TrainingSettings:
    """How long, how fast and on what a model trains."""

    seed: int  # of what networks draw while they train, such as dropout
    iterations: int
    schedule: int  # iterations after which the learning rate would be 0; at least ``iterations``
    optimizer: Literal["adamw", "sgd"]
    learning_rate: float  # at the first iteration
    momentum: float  # of sgd
    weight_decay: float
    power: float  # of the polynomial schedule: rate * (1 - iteration / schedule) ** power
    source_batch: int  # labelled pictures per iteration and process
    target_batch: int  # target pictures per iteration and process; 0 without a target
    accumulate: int  # batches whose gradients make up an iteration
    pseudo_label_weight: float  # of the target's cross-entropy beside the source's
    auxiliary_weight: float  # of the auxiliary output's cross-entropy beside the main one's
    adaptation: Adaptation
    adaptation_weight: float  # of the adaptation's loss at the main output
    auxiliary_adaptation_weight: float  # the same at the auxiliary output
    discriminator_rate: float  # learning rate of advent's discriminators at the first iteration
    label_stride: int  # the losses compare every n-th row and column of the labels; 1: all
    batch_norm: BatchNorm
    compile: bool  # the network by torch.compile, where that is possible
    log_every: int  # iterations averaged into a row of the log


@dataclass(frozen=True)
class Saving:
    """Where and how often a resumable state is written, and what else is kept on the way.

    ``identity`` is a plain description of everything that decides the result: a state of another one is left alone.
    ``snapshot`` is called with the iteration, every ``snapshot_every`` iterations but after the last (0: never).
    """

    path: Path
    every: int  # iterations
    identity: dict[str, Any]
    snapshot_every: int = 0
    snapshot: Callable[[int], None] = lambda iteration: None


def polynomial_rate(iteration: int, settings: TrainingSettings) -> float:
    """The learning rate at ``iteration`` of the polynomial schedule (Chen et al. 2017, DeepLab, section 4.1)."""
    return settings.learning_rate * polynomial_factor(iteration, settings)


def polynomial_factor(iteration: int, settings: TrainingSettings) -> float:
    """What is left of every learning rate at ``iteration``, in [0, 1]."""
    return math.pow(1 - iteration / settings.schedule, settings.power)


AGREEMENT = 20
"""Iterations between two looks of several processes at whether one of them shall end: each makes them wait."""

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
    activation_checkpointing: bool = False,
) -> list[Row]:
    """Trains ``network`` in place and returns the log.

    A target whose labels are all ``IGNORE`` moves no weight, unless there is an ``adaptation``: it adds its statistics
    to batch norm, where that is not frozen, and nothing else.

    A state that ``saving`` names is resumed: an interrupted training ends in the same weights (on the CPU, bit for
    bit). ``workers`` processes read and augment each stream; their number changes nothing, nor does
    ``activation_checkpointing``, which saves memory and costs time. SIGTERM saves the state between two iterations and
    ends the process with status 143.

    Raises:
        InputError: the loss became NaN or infinite.
    """
    assert (target is None) == (settings.target_batch == 0)
    model, optimizer = _set_up(network, settings, fabric, activation_checkpointing)
    adversary = None
    if settings.adaptation == "advent":
        adversary = Adversary(network, settings.discriminator_rate, fabric)
    progress = _Progress.resume(saving, network, optimizer, adversary)
    model.train()
    if settings.batch_norm == "frozen":
        for norm in batch_norms(model):
            norm.eval()
    feed = _feed(source, target, settings, progress.iteration, workers, fabric)
    labelled = settings.adaptation == "none" or (target is not None and target.labelled)
    step = _Step(model, optimizer, adversary, settings, fabric, labelled)
    images = (settings.source_batch + settings.target_batch) * settings.accumulate * fabric.world_size
    done, all_ = progress.iteration * images, settings.iterations * images
    with _terminated() as terminated, tqdm(total=all_, initial=done, unit="image", mininterval=5) as bar:
        for iteration in range(progress.iteration, settings.iterations):
            rate = polynomial_rate(iteration, settings)
            progress.count(rate, step(iteration, feed, rate, polynomial_factor(iteration, settings)))
            last = iteration + 1 == settings.iterations
            if (iteration + 1) % settings.log_every == 0 or last:
                row = progress.close_row()
                bar.set_postfix(source=f"{row['source_loss']:.3f}", target=f"{row['target_loss']:.3f}")
            ended = not last and _all_know(terminated, iteration, fabric)
            due = (iteration + 1) % saving.every == 0 or ended
            if not last and fabric.is_global_zero:
                if saving.snapshot_every and (iteration + 1) % saving.snapshot_every == 0:
                    saving.snapshot(iteration + 1)  # before the state, so that none is missing after a resumption
                if due:
                    progress.save(saving, network, optimizer, adversary)
            if ended:
                fabric.print(f"{saving.path}: saved on SIGTERM after {iteration + 1} iterations; run again")
                fabric.barrier()
                sys.exit(128 + signal.SIGTERM)
            bar.update(images)
    return progress.rows


def _all_know(terminated: list[int], iteration: int, fabric: Fabric) -> bool:
    """Whether SIGTERM was received; several processes agree on it, every ``AGREEMENT`` iterations."""
    if fabric.world_size == 1:
        return bool(terminated)
    if (iteration + 1) % AGREEMENT:
        return False
    received = torch.tensor(float(bool(terminated)), device=fabric.device)
    return bool(fabric.all_reduce(received, reduce_op="sum"))


def _set_up(
    network: nn.Module, settings: TrainingSettings, fabric: Fabric, activation_checkpointing: bool
) -> tuple[nn.Module, Optimizer]:
    """The network, compiled where that is asked for and possible, and its optimiser, on the devices of ``fabric``."""
    if activation_checkpointing:
        checkpoint_activations(network)
    if settings.compile and (reason := compile_network(network, fabric.device)):
        print(f"compute.compile: not compiled, since nothing can be on this machine: {reason}", file=sys.stderr)
    model, optimizer = fabric.setup(network.to(memory_format=torch.channels_last), _optimizer(network, settings))
    return model, optimizer


def _optimizer(network: nn.Module, settings: TrainingSettings) -> Optimizer:
    """The optimiser; every group keeps its share of the learning rate, which the schedule scales, as ``share``."""
    groups = parameter_groups(network, settings.learning_rate)
    for group in groups:
        group["share"] = group["lr"] / settings.learning_rate if settings.learning_rate else 1.0
    if settings.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=settings.learning_rate, weight_decay=settings.weight_decay)
    return torch.optim.SGD(
        groups, lr=settings.learning_rate, momentum=settings.momentum, weight_decay=settings.weight_decay
    )


@contextmanager
def _terminated() -> Iterator[list[int]]:
    """A list that is empty until the process receives SIGTERM."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield received
    finally:
        signal.signal(signal.SIGTERM, before)


@dataclass(frozen=True)
class _Step:
    """One iteration: gradients of every loss, a step of the network, and one of its adversary."""

    model: nn.Module
    optimizer: Optimizer
    adversary: Adversary | None
    settings: TrainingSettings
    fabric: Fabric
    labelled: bool  # whether any target picture has a pseudo-label

    def __call__(self, iteration: int, feed: Iterator[list[Tensor]], rate: float, factor: float) -> Tensor:
        """Takes ``accumulate`` batches of ``feed``; the learning rate is ``rate``, that of an adversary falls alike.

        Returns source loss, target loss, adaptation loss, and the share of target pixels that carry a pseudo-label,
        (4,) on the device: nothing is read back.
        """
        for group in self.optimizer.param_groups:
            group["lr"] = rate * group["share"]
        self.optimizer.zero_grad()
        taken = [next(feed) for _ in range(self.settings.accumulate)]
        # what networks draw depends on iteration and process alone, so that no random state has to be kept
        drawn = np.random.default_rng([self.settings.seed, 2, iteration, self.fabric.global_rank]).integers(2**63)
        torch.manual_seed(int(drawn))
        logged = []
        for number, batch in enumerate(taken, start=1):
            logged.append(self._accumulated(*batch, last=number == len(taken), factor=factor))
        self.optimizer.step()
        return torch.stack(logged).mean(dim=0)

    def _accumulated(
        self,
        source_picture: Tensor,  # (S, 3, h, w) uint8
        source_label: Tensor,  # (S, h, w) uint8
        target_picture: Tensor | None = None,  # (T, 3, h', w') uint8
        target_label: Tensor | None = None,  # (T, h', w') uint8
        *,
        last: bool,
        factor: float,
    ) -> Tensor:
        """Adds the gradients of one batch; the adversary learns from the last one of an iteration."""
        alone = target_picture is None or target_label is None
        with self._without_exchange(unless=last and alone):
            keeping = self.settings.batch_norm == "per_domain" and not alone
            with keeping_statistics(self.model) if keeping else nullcontext():
                source = self.model(as_input(source_picture))
            source_loss = self._segmentation(source, source_label)
            self.fabric.backward(source_loss / self.settings.accumulate)
        if target_picture is None or target_label is None:
            return torch.stack([source_loss.detach(), *[source_loss.new_zeros(())] * 3])
        source_size, size = ((label.shape[-2], label.shape[-1]) for label in (source_label, target_label))
        with self._without_exchange(unless=last):
            target = self.model(as_input(target_picture))
            target_loss = self._segmentation(target, target_label) if self.labelled else source_loss.new_zeros(())
            adaptation_loss = self._adaptation(target, size)
            loss = self.settings.pseudo_label_weight * target_loss + adaptation_loss
            self.fabric.backward(loss / self.settings.accumulate)
        if self.adversary is not None and last:
            self.adversary.step((source, source_size), (target, size), self.settings.label_stride, factor)
        labelled = (target_label != IGNORE).float().mean()
        return torch.stack([source_loss.detach(), target_loss.detach(), adaptation_loss.detach(), labelled])

    def _without_exchange(self, *, unless: bool) -> AbstractContextManager[Any]:
        """Within it several processes do not exchange gradients: they do so once an iteration, at its last loss."""
        return self.fabric.no_backward_sync(self.model, enabled=not unless)  # type: ignore[arg-type]

    def _segmentation(self, logits: Logits, label: Tensor) -> Tensor:
        """Cross-entropy of every output, averaged over the labelled pixels of all processes."""
        stride = self.settings.label_stride
        pixels = (compared(label, stride) != IGNORE).sum()
        if self.fabric.world_size > 1:  # gradients are averaged over processes, whatever the pixels of each
            pixels = self.fabric.all_reduce(pixels.float(), reduce_op="mean")  # type: ignore[assignment]
        weights = (1.0, self.settings.auxiliary_weight)
        losses = [segmentation_loss(output, label, stride, pixels=pixels.clamp(min=1)) for output in outputs(logits)]
        return sum((w * loss for w, loss in zip(weights, losses, strict=False)), start=losses[0].new_zeros(()))

    def _adaptation(self, target: Logits, size: tuple[int, int]) -> Tensor:
        """The loss of the adaptation over every output, weighted; 0 without one."""
        stride = self.settings.label_stride
        if self.adversary is not None:
            losses = self.adversary.losses(target, size, stride)
        elif self.settings.adaptation == "minent":
            maps = (upsampled(output, size, stride) for output in outputs(target))
            losses = [minent_loss(logits.softmax(dim=1)) for logits in maps]
        else:
            losses = []
        weights = (self.settings.adaptation_weight, self.settings.auxiliary_adaptation_weight)
        return sum((w * loss for w, loss in zip(weights, losses, strict=False)), start=target.main.new_zeros(()))


def _feed(
    source: Stream, target: Stream | None, settings: TrainingSettings, start: int, workers: int, fabric: Fabric
) -> Iterator[list[Tensor]]:
    """Source picture, source label and, with a target, target picture and label, batch by batch, on the device."""
    share = {
        "start": start * settings.accumulate,
        "stop": settings.iterations * settings.accumulate,
        "rank": fabric.global_rank,
        "world_size": fabric.world_size,
    }
    streams = [batches(source, batch_size=settings.source_batch, workers=workers, **share)]
    if target is not None:
        streams.append(batches(target, batch_size=settings.target_batch, workers=workers, **share))
    for parts in zip(*streams, strict=True):
        yield [fabric.to_device(tensor) for part in parts for tensor in part]


@dataclass
class _Progress:
    """How far a training is: the next iteration, the log so far, and the sums of the row being filled."""

    iteration: int = 0
    rows: list[Row] = field(default_factory=list)
    counted: int = 0
    rate: float = 0.0
    sums: Tensor = field(default_factory=lambda: torch.zeros(4))

    def count(self, rate: float, values: Tensor) -> None:
        """Adds one iteration; nothing is read back from the device before the row is closed."""
        self.sums = self.sums.to(values.device) + values
        self.rate, self.counted, self.iteration = rate, self.counted + 1, self.iteration + 1

    def close_row(self) -> Row:
        """Ends the row; InputError when a loss in it was not finite."""
        source_loss, target_loss, adaptation_loss, labelled = (self.sums / self.counted).tolist()
        if not math.isfinite(source_loss + target_loss + adaptation_loss):
            raise InputError(f"the loss is not finite at iteration {self.iteration}: lower the learning rate")
        row: Row = {
            "iteration": self.iteration,
            "learning_rate": self.rate,
            "source_loss": source_loss,
            "target_loss": target_loss,
            "adaptation_loss": adaptation_loss,
            "target_labelled": labelled,
        }
        self.rows.append(row)
        self.counted, self.sums = 0, torch.zeros(4)
        return row

    def save(self, saving: Saving, network: nn.Module, optimizer: Optimizer, adversary: Adversary | None) -> None:
        """Writes everything that a resumed training needs."""
        progress = {name: getattr(self, name) for name in ("iteration", "rows", "counted", "rate")}
        state = {"network": network.state_dict(), "optimizer": optimizer.state_dict(), "sums": self.sums.cpu()}
        if adversary is not None:
            state["adversary"] = adversary.state_dict()
        save_tensors(saving.path, {"identity": saving.identity, "progress": progress, **state})

    @classmethod
    def resume(
        cls, saving: Saving, network: nn.Module, optimizer: Optimizer, adversary: Adversary | None
    ) -> "_Progress":
        """The progress saved, with weights and optimisers put back; a fresh start where there is none to continue."""
        if not saving.path.is_file():
            return cls()
        state = load_tensors(saving.path)
        if state.get("identity") != saving.identity:
            print(f"{saving.path}: of a training with other settings or inputs; starting anew", file=sys.stderr)
            return cls()
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        if adversary is not None:
            adversary.load_state_dict(state["adversary"])
        progress = cls(**state["progress"], sums=state["sums"])
        print(f"{saving.path}: resuming at iteration {progress.iteration}", file=sys.stderr)
        return progress
