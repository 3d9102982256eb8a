"""Settings of a training that exclude each other: checked while jobs are planned, and by the train stage."""

from collections.abc import Iterator

from esl.errors import Problem
from esl.models.build import network_entry
from esl.models.pretrained import pretrained_problem
from esl.settings import resize_wh
from esl.training.settings import TrainSettings
from esl.training.terms.build import term_settings
from esl.training.terms.settings import same_sizes

Batches = dict[str, tuple[str, str | int, int]]
"""The config key of each batch -> the domain of its images, their size in the config, and their number."""


def conflicts(
    settings: TrainSettings,
    *,
    activation_checkpointing: bool,
    section: str = "training.source",
    domain: str = "source",
) -> list[Problem]:
    """A problem for each conflict, by config keys below the benchmark; none: the training can start.

    ``section`` is the part of the config that describes the training, ``domain`` the origin of its labelled images.
    """
    batches: Batches = {f"{section}.source_batch": (domain, settings.source_size, settings.schedule.source_batch)}
    if (target := settings.target) is not None:
        batches[f"{section}.target_batch"] = ("target", target.target_size, target.target_batch)
        if target.labelled_batch:
            batches[f"{section}.labelled_batch"] = ("target", target.target_size, target.labelled_batch)
    problems = [*_compute_conflicts(settings, activation_checkpointing), *_network_conflicts(settings, batches)]
    if target is not None and target.style == "fda" and not same_sizes(settings):
        problems.append(
            Problem(
                ("training.crop",),
                "the style fda needs source and target images of one size; set a crop, or the same WIDTHxHEIGHT as "
                "source.size and target.size",
            )
        )
    if target is not None and target.term is not None:
        problems += term_settings(target.term, target.term_settings).conflicts(settings)
    if settings.augmentation.crop == "whole":
        problems += [
            Problem(
                ("training.crop", f"{of}.size", key),
                f"whole images of several sizes cannot form a batch of {batch}; set the size to WIDTHxHEIGHT, the "
                "batch to 1, or a crop",
            )
            for key, (of, size, batch) in batches.items()
            if (batch > 1 or key.endswith("labelled_batch")) and not isinstance(resize_wh(size), tuple)
        ]
    return problems


def _compute_conflicts(settings: TrainSettings, activation_checkpointing: bool) -> Iterator[Problem]:
    """Settings that the device or torch does not support, alone or combined."""
    if settings.compute.accelerator == "cpu" and settings.compute.precision == "16-mixed":
        yield Problem(("compute.precision",), "a CPU does not train in 16-mixed; take auto, bf16-mixed or 32-true")
    if activation_checkpointing and settings.compile:  # torch does not vouch for the two together
        keys = ("compute.compile", "compute.activation_checkpointing")
        yield Problem(keys, "exclude each other; set one of them to false")
    if activation_checkpointing and not network_entry(settings.network).blocks:
        yield Problem(
            ("compute.activation_checkpointing",),
            f"{settings.network} has no `blocks()` to recompute; set it to false",
        )


def _network_conflicts(settings: TrainSettings, batches: Batches) -> Iterator[Problem]:
    """Weights that do not fit the network, and batches that are too small for its batch norm."""
    if problem := pretrained_problem(settings.network, settings.pretrained):
        yield problem
    name, optimizer = settings.network, settings.optimization.optimizer
    if settings.optimization.repeat_backbone and (not name.startswith("deeplabv2_") or optimizer != "sgd"):
        yield Problem(
            ("training.repeat_backbone",),
            f"only for deeplabv2_resnet101 with optimizer: sgd, but got {name} with {optimizer}; set it to false",
        )
    if settings.target is not None and settings.target.batch_norm == "frozen":  # does not look at the batch
        return
    smallest = network_entry(name).smallest_batch
    for key, (_, _, batch) in batches.items():
        if batch < smallest:
            yield Problem(("network", key), f"{name} needs at least {smallest} images in a batch, but got {batch}")
