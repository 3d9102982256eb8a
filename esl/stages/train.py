"""Stage: train a model on labelled pictures, and, in a round, on target pictures with pseudo-labels beside them."""

import argparse
import csv
from dataclasses import asdict, fields, replace
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import torch
from torch import nn

from esl.classes import ClassSet
from esl.data.images import Resize
from esl.data.index import Index, read_index
from esl.data.stream import Augmentation, Pairs, Stream
from esl.errors import InputError
from esl.files import atomic_path, read_json, sha256_of_file, sha256_of_lines
from esl.labels.png import checked_files, train_id_table
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.pretrained import load_pretrained
from esl.models.registry import NETWORKS, build_network
from esl.models.snapshots import remove_other_snapshots, snapshot_path
from esl.stages.command import add_paths, crop, resize, stage
from esl.stages.device import add_device, make_fabric
from esl.training.loop import Adaptation, BatchNorm, Row, Saving, TrainingSettings, train
from esl.training.terms.advent.discriminator import LEARNING_RATE, SMALLEST_MAP
from esl.training.terms.entropy import LAMBDA_AUXILIARY, LAMBDA_MAIN, SEGMENTATION_AUXILIARY


def main() -> None:
    flags = _parser().parse_args()
    index = read_index(flags.index)
    provenance = {"code": flags.code, "torch": version("torch"), "labelled": index.fingerprint()}
    augmentation = Augmentation(flags.crop, flags.min_scale, flags.colour, flags.blur, flags.flip)
    source = Stream(_labelled_pairs(index, flags.size), augmentation, (flags.seed, 0))
    target = None
    if (flags.target_index is None) != (flags.target_batch == 0) or (flags.pseudo_labels and not flags.target_index):
        raise InputError("--target-index and a --target-batch above 0 belong together, and --pseudo-labels need both")
    if flags.target_index is not None:
        target = Stream(_target_pairs(flags, provenance), augmentation, (flags.seed, 1))
    flags.schedule = flags.schedule or flags.iterations
    _check_settings(flags)
    settings = TrainingSettings(**{item.name: getattr(flags, item.name) for item in fields(TrainingSettings)})
    fabric = make_fabric(flags)
    torch.manual_seed(flags.seed)  # fresh weights, of the network and of discriminators
    network = _initial_network(flags, index.class_set, provenance)
    given = {name: getattr(flags, name) for name in ("network", "size", "target_size", "seed", "precision")}
    described = {**asdict(settings), **asdict(augmentation), **given, "processes": fabric.world_size}
    description = Description.of(flags.network, index.class_set, described, provenance)

    def snapshot(iteration: int) -> None:
        of_snapshot = replace(description, provenance={**provenance, "iteration": iteration})
        save_checkpoint(snapshot_path(flags.output, iteration), network, of_snapshot)

    last = flags.output.with_name("last.pt")
    identity = {"settings": described, "provenance": provenance}
    rows = train(
        network, source, target, settings,
        fabric=fabric, workers=flags.workers, activation_checkpointing=bool(flags.activation_checkpointing),
        saving=Saving(last, flags.save_every, identity, flags.snapshot_every, snapshot),
    )  # fmt: skip
    if not fabric.is_global_zero:
        return
    _write_log(flags.output.with_name("train.csv"), rows)
    remove_other_snapshots(flags.output, flags.snapshot_every, settings.iterations)
    save_checkpoint(flags.output, network, description)
    last.unlink(missing_ok=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--index", "--output")
    parser.add_argument("--target-index", type=Path, help="target pictures to train on without their labels")
    parser.add_argument("--pseudo-labels", type=Path, help="manifest of the target pictures' pseudo-labels")
    start = parser.add_mutually_exclusive_group()
    start.add_argument("--initial", type=Path, help="checkpoint to start from; default: fresh weights")
    start.add_argument("--pretrained", help="file of published weights to start from, or torchvision")
    parser.add_argument("--code", default="unknown", help="digest of the code, kept as provenance")
    parser.add_argument("--network", required=True, choices=NETWORKS)
    for name, what in (("size", "labelled"), ("target-size", "target")):
        help_ = f"of {what} pictures: WIDTHxHEIGHT, the longer side, or own"
        parser.add_argument(f"--{name}", type=resize, required=name == "size", help=help_)
    parser.add_argument("--crop", type=crop, required=True, help="WIDTHxHEIGHT of what the network sees, or whole")
    for name in ("iterations", "source-batch", "label-stride", "log-every", "seed", "workers", "save-every"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--snapshot-every", type=int, default=0, help="iterations between checkpoints kept; 0: none")
    parser.add_argument("--compile", action="store_true", help="the network by torch.compile, where that is possible")
    help_ = "1: compute activations twice, for less memory"
    parser.add_argument("--activation-checkpointing", type=int, choices=(0, 1), default=0, help=help_)
    for name in ("learning-rate", "weight-decay", "power", "min-scale", "colour", "blur"):
        parser.add_argument(f"--{name}", type=float, required=True)
    parser.add_argument("--schedule", type=int, help="iterations until the learning rate would be 0; default: all")
    parser.add_argument("--optimizer", choices=("adamw", "sgd"), default="adamw")
    parser.add_argument("--adaptation", choices=get_args(Adaptation), default="none")
    parser.add_argument("--batch-norm", choices=get_args(BatchNorm), default="per_domain")
    for name, integer in (("target-batch", 0), ("accumulate", 1)):
        parser.add_argument(f"--{name}", type=int, default=integer)
    for name, default in (
        ("flip", 0.5),
        ("momentum", 0.9),
        ("pseudo-label-weight", 1.0),
        ("auxiliary-weight", SEGMENTATION_AUXILIARY),
        ("adaptation-weight", LAMBDA_MAIN),
        ("auxiliary-adaptation-weight", LAMBDA_AUXILIARY),
        ("discriminator-rate", LEARNING_RATE),
    ):
        parser.add_argument(f"--{name}", type=float, default=default)
    add_device(parser)
    return parser


def _check_settings(flags: argparse.Namespace) -> None:
    """What would otherwise fail in the middle of a training, or go wrong silently."""
    if flags.schedule < flags.iterations:
        raise InputError(f"schedule: expected at least the {flags.iterations} iterations, but got {flags.schedule}")
    if flags.compile and flags.activation_checkpointing:  # torch does not vouch for the two together
        raise InputError("compute: compile and activation_checkpointing exclude each other; set one of them to false")
    if flags.adaptation == "advent":
        if flags.precision == "16-mixed":  # one scale of gradients cannot serve the network and its discriminators
            raise InputError("compute.precision: advent trains in 32-true or bf16-mixed, but got 16-mixed")
        if flags.crop is not None and min(flags.crop) < SMALLEST_MAP * flags.label_stride:
            raise InputError(
                f"training.crop: advent's discriminators need at least {SMALLEST_MAP} compared pixels a side, but got "
                f"{flags.crop[0]}x{flags.crop[1]} at a label_stride of {flags.label_stride}"
            )
    for key, given, batch in (
        ("source", flags.size, flags.source_batch),
        ("target", flags.target_size, flags.target_batch),
    ):
        if flags.crop is None and batch > 1 and not isinstance(given, tuple):
            raise InputError(
                f"training.crop: whole pictures of several sizes make no batch of {batch}; set {key}.size to "
                "WIDTHxHEIGHT, or the batch to 1, or a crop"
            )


def _labelled_pairs(index: Index, picture_size: Resize) -> Pairs:
    """Pictures and labels of the index; InputError when a picture has none."""
    unlabelled = [sample.id for sample in index.samples if sample.label is None]
    if unlabelled:
        raise InputError(
            f"{index.root}: {len(unlabelled)} pictures of {index.split!r} have no label, {unlabelled[0]!r} first"
        )
    files = [(index.picture(sample), index.label(sample)) for sample in index.samples]
    return Pairs(files, index.table, picture_size)


def _target_pairs(flags: argparse.Namespace, provenance: dict[str, str]) -> Pairs:
    """Target pictures with their pseudo-labels; what the target's own labels say is never looked at."""
    index = read_index(flags.target_index)
    provenance["target_pictures"] = index.picture_fingerprint()
    table = train_id_table(index.class_set)
    if flags.pseudo_labels is None:
        return Pairs([(index.picture(sample), None) for sample in index.samples], table, flags.target_size)
    manifest = read_json(flags.pseudo_labels)
    files = checked_files(manifest, flags.pseudo_labels.with_suffix(""))
    digests = [f"{id_} {manifest['files'][id_]['sha256']}" for id_ in sorted(files)]
    provenance["pseudo_labels"] = sha256_of_lines(digests)
    if files.keys() != {sample.id for sample in index.samples}:
        raise InputError(f"{flags.pseudo_labels}: not of the pictures in {flags.target_index}; delete it and run again")
    pairs = [(index.picture(sample), files[sample.id]) for sample in index.samples]
    return Pairs(pairs, table, flags.target_size)


def _initial_network(flags: argparse.Namespace, class_set: ClassSet, provenance: dict[str, str]) -> nn.Module:
    """The network of ``--initial``, one with the weights of ``--pretrained``, or a fresh one."""
    if flags.initial is None:
        network = build_network(flags.network, len(class_set))
        if flags.pretrained is not None:
            provenance["pretrained"] = load_pretrained(flags.network, network, flags.pretrained)
        return network
    network, description = load_checkpoint(flags.initial, class_set)
    if description.network != flags.network:
        raise InputError(
            f"{flags.initial}: a {description.network!r}, but the config asks for a {flags.network!r}; train it again"
        )
    provenance["initial"] = sha256_of_file(flags.initial)
    return network.train()


def _write_log(path: Path, rows: list[Row]) -> None:
    """The training log as CSV, one row per ``--log-every`` iterations."""
    with atomic_path(path) as part, part.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=rows[0].keys(), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    stage(main)
