"""Stage: train a model on labelled images and, in a round, also on target images with pseudo-labels."""

import argparse
import csv
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from esl.classes import ClassSet
from esl.data.images import Resize
from esl.data.index import Index, read_index
from esl.data.rarity import RareClassDraws, draws_by_labels
from esl.data.stream import Pairs, Stream
from esl.errors import InputError
from esl.files import atomic_path, sha256_of_file, sha256_of_lines
from esl.labelling.truth import labelled_by, scored_on, trained_on
from esl.labels.manifest import read_manifest
from esl.labels.png import checked_files, train_id_table
from esl.locks import alone
from esl.models.build import build_network
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.pretrained import load_pretrained
from esl.models.snapshots import remove_other_snapshots, snapshot_path
from esl.settings import resize_wh
from esl.stages.command import add_paths, add_settings, say, stage
from esl.stages.device import resolved_precision
from esl.stages.fabric import add_processes, make_fabric
from esl.training.conflicts import conflicts
from esl.training.events import event_files
from esl.training.feed import Streams
from esl.training.loop import train
from esl.training.resume import Row, Saving
from esl.training.seeds import Purpose
from esl.training.settings import TrainSettings

Provenance = dict[str, Any]
"""Digests of everything that went into a model, by role."""


def main(arguments: list[str] | None = None) -> None:
    """Trains one model: settings and files in, checkpoint and log out."""
    flags = _parser().parse_args(arguments)
    settings = TrainSettings.from_json(flags.settings)
    _refuse_conflicts(settings, flags)
    index = read_index(flags.index)
    provenance: Provenance = {"code": flags.code, "torch": version("torch"), "labelled": index.fingerprint()}
    labelled = _labelled_pairs(index, settings)
    source = Stream(labelled, settings.augmentation, (settings.seed, Purpose.SOURCE), _source_draws(index, settings))
    streams = _streams(source, index, settings, flags, provenance)
    precision = resolved_precision(settings.compute)
    fabric = make_fabric(settings.compute, threads=flags.threads, devices=flags.devices)
    torch.manual_seed(settings.seed)  # fresh weights, of the network and of what a target term trains
    network = _initial_network(flags.initial, settings, index.class_set, provenance)
    execution = {"precision": precision, "processes": fabric.world_size}
    all_settings = {**settings.model_dump(mode="json"), **execution}
    description = Description.of(settings.network, index.class_set, all_settings, provenance)

    def snapshot(iteration: int, weights: Mapping[str, Tensor]) -> None:
        of_iteration = replace(description, provenance={**provenance, "iteration": iteration})
        save_checkpoint(snapshot_path(flags.output, iteration), weights, of_iteration)

    say(
        f"training {settings.network} on {source.epoch} labelled images"
        + ("" if streams.target is None else f" and {streams.target.epoch} target images")
        + ("" if streams.labelled is None else f", {streams.labelled.epoch} of them labelled")
        + f": {settings.schedule.iterations} iterations on {fabric.device} in {precision}, {flags.threads} threads"
    )
    identity = {"settings": settings.canonical(), **execution, "provenance": provenance}
    last = flags.output.with_name("last.pt")
    saving = Saving(last, flags.save_every, identity, flags.snapshot_every, snapshot)
    with _one_training_at_a_time(flags.output, fabric) as waited:
        if waited and _is_made(flags.output, index.class_set, description):
            say(f"{flags.output}: has been trained meanwhile, with the same settings and inputs")
            return
        rows = _train(network, streams, settings, fabric, saving, flags)
        if not fabric.is_global_zero:
            return
        _write_log(flags.output.with_name("train.csv"), rows)
        remove_other_snapshots(flags.output, flags.snapshot_every, settings.schedule.iterations)
        save_checkpoint(flags.output, network.state_dict(), description)
        last.unlink(missing_ok=True)
    say(", ".join(f"{name} {value:.4g}" for name, value in rows[-1].items()) + f": {flags.output}")


def _train(
    network: nn.Module, streams: Streams, settings: TrainSettings, fabric: Fabric, saving: Saving,
    flags: argparse.Namespace,
) -> list[Row]:  # fmt: skip
    """Trains ``network`` in place and returns the rows of the log; the flags may ask for event files too."""
    events = flags.output.with_name("tensorboard") if flags.tensorboard and fabric.is_global_zero else None
    with nullcontext(lambda row: None) if events is None else event_files(events) as on_row:
        return train(
            network, streams, settings,
            fabric=fabric, workers=flags.workers, activation_checkpointing=bool(flags.activation_checkpointing),
            saving=saving, on_row=on_row,
        )  # fmt: skip


@contextmanager
def _one_training_at_a_time(checkpoint: Path, fabric: Fabric) -> Iterator[bool]:
    """Runs the block while no other job trains this model; gives every process whether the first one had to wait."""
    lock = checkpoint.with_name("train.lock")
    with alone(lock, "training this model") if fabric.is_global_zero else nullcontext(False) as waited:
        yield fabric.broadcast(waited)


def _is_made(path: Path, class_set: ClassSet, description: Description) -> bool:
    """Whether the checkpoint ``path`` is there and has the description of this training."""
    try:
        return load_checkpoint(path, class_set)[1] == description
    except InputError:
        return False


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--index", "--output")
    parser.add_argument("--target-index", type=Path, help="target images")
    parser.add_argument("--pseudo-labels", type=Path, help="manifest of the target images' pseudo-labels")
    parser.add_argument("--labels", type=Path, help="labels.json: target labels for training; default: none is read")
    parser.add_argument("--own-labels", action="store_true", help="train on all labels of the target, as the oracle")
    parser.add_argument("--measured", type=Path, help="index of the images that are scored; needed with labels")
    parser.add_argument("--initial", type=Path, help="checkpoint to start from; default: pretrained or fresh weights")
    parser.add_argument("--code", default="unknown", help="digest of the code, kept as provenance")
    parser.add_argument("--workers", type=int, default=0, help="processes that read and augment each stream")
    parser.add_argument("--save-every", type=int, required=True, help="iterations between states to resume from")
    parser.add_argument("--snapshot-every", type=int, default=0, help="iterations between kept checkpoints; 0: none")
    parser.add_argument(
        "--activation-checkpointing", type=int, choices=(0, 1), default=0, help="1: less memory, more time"
    )
    parser.add_argument(
        "--tensorboard", type=int, choices=(0, 1), default=0, help="1: event files in the folder tensorboard"
    )
    add_processes(parser)
    add_settings(parser, TrainSettings)
    return parser


def _refuse_conflicts(settings: TrainSettings, flags: argparse.Namespace) -> None:
    """Raises InputError for mistakes that would end a training midway, or spoil it silently."""
    if (flags.target_index is None) != (settings.target is None) or (flags.pseudo_labels and not flags.target_index):
        raise InputError("--target-index and the setting `target` belong together, and --pseudo-labels needs both")
    if (flags.labels or flags.own_labels) and not (flags.target_index and flags.measured):
        raise InputError("--labels and --own-labels need --target-index and --measured")
    if bool(flags.labels) != bool(settings.target is not None and settings.target.labelled_batch):
        raise InputError("--labels and the setting `labelled_batch` belong together")
    if flags.initial is not None and settings.pretrained is not None:
        raise InputError(
            "--initial and the setting `pretrained` exclude each other: both say what training starts from"
        )
    section = "training.round" if flags.pseudo_labels else "training.source"
    if problems := conflicts(settings, activation_checkpointing=bool(flags.activation_checkpointing), section=section):
        raise InputError("\n".join(map(str, problems)))


def _labelled_pairs(index: Index, settings: TrainSettings) -> Pairs:
    """Images and labels of the index; InputError when an image has none."""
    unlabelled = [sample.id for sample in index.samples if sample.label is None]
    if unlabelled:
        raise InputError(
            f"{index.root}: {len(unlabelled)} images of {index.split!r} have no label, such as {unlabelled[0]!r}"
        )
    files = [(index.image(sample), index.label(sample)) for sample in index.samples]
    return Pairs(files, index.table, resize_wh(settings.source_size))


def _streams(
    source: Stream, index: Index, settings: TrainSettings, flags: argparse.Namespace, provenance: Provenance
) -> Streams:
    """The images of the training: labelled ones, those of the target, and those of the target with true labels."""
    if settings.target is None:
        return Streams(source)
    target_index = read_index(flags.target_index)
    provenance["target_images"] = target_index.image_fingerprint()
    true = _true_labels(flags, target_index, index, provenance)
    resize = resize_wh(settings.target.target_size)
    pairs = _target_pairs(flags, target_index, true, resize, provenance)
    draws = _target_draws(pairs, len(index.class_set), settings.target.target_rare_class_sampling)
    target = Stream(pairs, settings.augmentation, (settings.seed, Purpose.TARGET), draws)
    if not settings.target.labelled_batch or true is None:
        return Streams(source, target)
    labelled = Pairs([(true.image(sample), true.label(sample)) for sample in true.samples], true.table, resize)
    return Streams(source, target, Stream(labelled, settings.augmentation, (settings.seed, Purpose.LABELLED)))


def _true_labels(flags: argparse.Namespace, target_index: Index, index: Index, provenance: Provenance) -> Index | None:
    """The target images whose true labels are trained on, with these; ``None``: no true label is read.

    Raises:
        InputError: there are none, or an image that scores are measured on is among them, or among the source's.
    """
    if flags.labels is None and not flags.own_labels:
        return None
    scored, _ = scored_on(flags.labels, read_index(flags.measured))
    measured = {sample.image_sha256 for sample in scored.labelled}
    if flags.own_labels:
        true = trained_on(target_index, scored)
    else:
        true = labelled_by(flags.labels, target_index, "train")
        for labelled in (index, true):
            if both := [sample.image for sample in labelled.samples if sample.image_sha256 in measured]:
                raise InputError(
                    f"{labelled.root}: {both[0]}: scores are measured on this image, so no model may train on its "
                    "label; take it out of the source, or of the labels for training"
                )
    if not true.samples:
        raise InputError(f"{flags.labels or flags.target_index}: no target image has a label to train on")
    provenance["target_labels"] = true.fingerprint()
    return true


def _target_pairs(
    flags: argparse.Namespace, index: Index, true: Index | None, resize: Resize, provenance: Provenance
) -> Pairs:
    """Target images with their pseudo-labels, or with the true label where there is one to train on."""
    if flags.pseudo_labels is None:
        labels = {sample.id: true.label(sample) for sample in true.samples} if true and flags.own_labels else {}
        return Pairs([(index.image(sample), labels.get(sample.id)) for sample in index.samples], index.table, resize)
    manifest = read_manifest(flags.pseudo_labels)
    files = checked_files(manifest.files, flags.pseudo_labels.with_suffix(""))
    digests = [f"{id_} {manifest.files[id_].sha256}" for id_ in sorted(files)]
    provenance["pseudo_labels"] = sha256_of_lines(digests)
    if files.keys() != {sample.id for sample in index.samples}:
        raise InputError(
            f"{flags.pseudo_labels}: made for other images than {flags.target_index}; delete it and run again"
        )
    if true is not None:
        files |= {sample.id: true.label(sample) for sample in true.samples}
    labels = files if manifest.kept else {}  # nothing is kept: no file is read, and no loss is computed
    table = train_id_table(index.class_set)
    return Pairs([(index.image(sample), labels.get(sample.id)) for sample in index.samples], table, resize)


def _source_draws(index: Index, settings: TrainSettings) -> RareClassDraws | None:
    """How labelled images are drawn; ``None``: all in turn."""
    if (temperature := settings.schedule.rare_class_sampling) is None:
        return None
    pixels = [sample.pixels or [] for sample in index.samples]
    sizes = [math.prod(sample.label_size_wh or sample.size_wh) for sample in index.samples]
    return RareClassDraws.of(pixels, sizes, temperature)


def _target_draws(pairs: Pairs, num_classes: int, temperature: float | None) -> RareClassDraws | None:
    """How target images are drawn; ``None``: all in turn."""
    labels = [label for _, label in pairs.files if label is not None]
    if temperature is None or not labels:
        return None
    return draws_by_labels(labels, pairs.table, num_classes, temperature)


def _initial_network(
    initial: Path | None, settings: TrainSettings, class_set: ClassSet, provenance: Provenance
) -> nn.Module:
    """The network of the checkpoint ``initial``, one with pretrained weights, or a fresh one."""
    if initial is None:
        network = build_network(settings.network, len(class_set))
        if settings.pretrained is not None:
            provenance["pretrained"] = digest = load_pretrained(settings.network, network, settings.pretrained)
            if settings.pretrained_sha256 not in (None, digest):
                raise InputError(f"{settings.pretrained}: has changed since this training was planned; run it again")
        return network
    network, description = load_checkpoint(initial, class_set)
    if description.network != settings.network:
        raise InputError(
            f"{initial}: a {description.network!r}, but the config asks for {settings.network!r}; train it again"
        )
    provenance["initial"] = sha256_of_file(initial)
    return network.train()


def _write_log(path: Path, rows: list[Row]) -> None:
    """The training log as CSV, one row per ``log_every`` iterations."""
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    stage(main)
