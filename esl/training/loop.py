"""One training loop for the source model, the oracle and every self-training round."""

import sys
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from functools import partial

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from tqdm import tqdm

from esl.models.execution import batch_norms, checkpoint_activations, compile_network, keeping_statistics
from esl.training.feed import Streams, batch_sizes, feed
from esl.training.optimizer import build_optimizer, polynomial_decay
from esl.training.resume import Progress, Row, Saving, Stateful, any_process_told_to_end, catch_signals, exit_on_signal
from esl.training.settings import TrainSettings
from esl.training.step import Step
from esl.training.terms.base import TargetTerm, TermContext
from esl.training.terms.build import build_term


def train(
    network: nn.Module,
    streams: Streams,
    settings: TrainSettings,
    *,
    fabric: Fabric,
    workers: int,
    saving: Saving,
    activation_checkpointing: bool = False,
    on_row: Callable[[Row], None] = lambda row: None,
) -> list[Row]:
    """Trains ``network`` in place and returns the log.

    A target whose labels are all ``IGNORE``, without a target term, contributes no gradient, but its images still
    update the statistics of batch norm unless these are frozen.

    An interrupted training resumes from the state that ``saving`` names and ends in the same weights (on the CPU, bit
    for bit). ``workers`` processes read and augment each stream; their number changes nothing, nor does
    ``activation_checkpointing``, which saves memory and costs time. ``on_row`` is called with every row of the log,
    also of a resumed training. SIGTERM or Ctrl-C saves the state between two iterations and ends the process
    with status 143 or 130.

    Raises:
        InputError: the loss became NaN or infinite.
    """
    assert [stream is not None for stream in streams] == [size > 0 for size in batch_sizes(settings)]
    step, parts = _set_up(network, streams, settings, fabric, activation_checkpointing)
    progress = Progress.resume(saving, parts, settings.schedule.iterations)
    for row in progress.rows:
        on_row(row)
    iterations, log_every = settings.schedule.iterations, settings.optimization.log_every
    accumulate = settings.optimization.accumulate
    batches = feed(streams, settings, start=progress.iteration, workers=workers, fabric=fabric)
    images = sum(batch_sizes(settings)) * accumulate * fabric.world_size
    done, all_ = progress.iteration * images, iterations * images
    with catch_signals() as received, tqdm(total=all_, initial=done, unit="image", mininterval=5) as bar:
        for iteration in range(progress.iteration, iterations):
            learning_rate = float(step.scheduler.get_last_lr()[0])
            losses = step(iteration, [next(batches) for _ in range(accumulate)])
            progress.count(learning_rate, losses)
            if progress.iteration % log_every == 0 or progress.iteration == iterations:
                row = progress.close_row()
                on_row(row)
                bar.set_postfix(source=f"{row['source_loss']:.3f}", target=f"{row['target_loss']:.3f}")
            if progress.iteration < iterations:
                _keep(progress, saving, parts, partial(_checkpoint_weights, network, step.term), fabric, received)
            bar.update(images)
    network.load_state_dict(_checkpoint_weights(network, step.term))
    return progress.rows


def _checkpoint_weights(network: nn.Module, term: TargetTerm | None) -> Mapping[str, Tensor]:
    """The weights that a checkpoint is to hold now: the network's, or others that a term has."""
    own = None if term is None else term.checkpoint_weights()
    return network.state_dict() if own is None else own


def _keep(
    progress: Progress,
    saving: Saving,
    parts: dict[str, Stateful],
    weights: Callable[[], Mapping[str, Tensor]],
    fabric: Fabric,
    received: list[int],
) -> None:
    """Between two iterations: writes the snapshot and the state when they are due, and exits after a signal."""
    iteration = progress.iteration
    terminated = any_process_told_to_end(received, iteration, fabric)
    if fabric.is_global_zero:
        if saving.snapshot_every and iteration % saving.snapshot_every == 0:
            saving.snapshot(iteration, weights())  # before the state, so that none is missing after a resumption
        if iteration % saving.every == 0 or terminated:
            progress.save(saving, parts)
    if terminated:
        exit_on_signal(received, saving, iteration, fabric)


def _set_up(
    network: nn.Module, streams: Streams, settings: TrainSettings, fabric: Fabric, activation_checkpointing: bool
) -> tuple[Step, dict[str, Stateful]]:
    """The step of a training on the devices of ``fabric``, and its parts that a resumed training restores."""
    if activation_checkpointing:
        checkpoint_activations(network)
    if settings.compile and (reason := compile_network(network, fabric.device)):
        print(f"compute.compile: not compiled, because this machine cannot: {reason}", file=sys.stderr)
    optimizer = build_optimizer(network, settings.optimization, settings.schedule.learning_rate)
    decay = polynomial_decay(settings.schedule, settings.optimization.power)
    scheduler = LambdaLR(optimizer, decay)
    model, optimizer = fabric.setup(network.to(memory_format=torch.channels_last), optimizer)
    term = None
    if settings.target is not None and settings.target.term is not None:
        per_domain = settings.target.batch_norm == "per_domain"
        context = TermContext(
            network,
            model,
            fabric,
            settings.optimization.label_stride,
            decay,
            settings.optimization.auxiliary_weight,
            own_pass=partial(keeping_statistics, network) if per_domain else nullcontext,
        )
        term = build_term(settings.target.term, settings.target.term_settings, context)
    model.train()
    if settings.target is not None and settings.target.batch_norm == "frozen":
        for norm in batch_norms(model):
            norm.eval()
    pseudo_labels = term is None or (streams.target is not None and streams.target.labelled)
    parts: dict[str, Stateful] = {"network": network, "optimizer": optimizer, "scheduler": scheduler}
    if term is not None:
        parts["term"] = term
    return Step(model, optimizer, scheduler, term, settings, fabric, pseudo_labels), parts
