"""Settings of a training that exclude each other: checked while jobs are planned, and by the train stage."""

from esl.errors import message
from esl.models.registry import network_entry, pretrained_mistake
from esl.settings import resize_wh
from esl.training.settings import TrainSettings
from esl.training.terms.registry import term_settings
from esl.training.terms.settings import same_sizes


def conflicts(
    settings: TrainSettings,
    *,
    activation_checkpointing: bool,
    section: str = "training.source",
    domain: str = "source",
) -> list[str]:
    """A line for each conflict, which starts with its config key below the benchmark; none: the training can start.

    ``section`` is the part of the config that describes the training, ``domain`` where its labelled images come from.
    """
    batches = {f"{section}.source_batch": (domain, settings.source_size, settings.schedule.source_batch)}
    if (target := settings.target) is not None:
        batches[f"{section}.target_batch"] = ("target", target.target_size, target.target_batch)
    lines = [*_of_compute(settings, activation_checkpointing), *_of_the_network(settings, batches)]
    if target is not None and target.style == "fda" and not same_sizes(settings):
        lines.append(
            message(
                "training.crop: the style fda needs source and target images of one size; set a crop, or the same "
                "WIDTHxHEIGHT as source.size and target.size"
            )
        )
    if target is not None and target.term is not None:
        lines += term_settings(target.term, target.term_settings).conflicts(settings)
    if settings.augmentation.crop == "whole":
        lines += [
            message(
                f"training.crop, {of}.size, {key}: whole images of several sizes cannot form a batch of {batch}; set "
                "the size to WIDTHxHEIGHT, the batch to 1, or a crop"
            )
            for key, (of, size, batch) in batches.items()
            if batch > 1 and not isinstance(resize_wh(size), tuple)
        ]
    return lines


def _of_compute(settings: TrainSettings, activation_checkpointing: bool) -> list[str]:
    """What the device and torch cannot do, or not together."""
    lines = []
    if settings.compute.accelerator == "cpu" and settings.compute.precision == "16-mixed":
        lines.append(message("compute.precision: a CPU does not train in 16-mixed; take auto, bf16-mixed or 32-true"))
    if activation_checkpointing and settings.compile:  # torch does not vouch for the two together
        both = "compute.compile, compute.activation_checkpointing"
        lines.append(message(f"{both}: exclude each other; set one of them to false"))
    if activation_checkpointing and not network_entry(settings.network).blocks:
        name = settings.network
        lines.append(
            message(f"compute.activation_checkpointing: {name} has no `blocks()` to recompute; set it to false")
        )
    return lines


def _of_the_network(settings: TrainSettings, batches: dict[str, tuple[str, str | int, int]]) -> list[str]:
    """Weights that do not fit the network, and batches that are too small for its batch norm."""
    lines = []
    if mistake := pretrained_mistake(settings.network, settings.pretrained):
        lines.append(message(f"pretrained: {mistake}"))
    if settings.optimization.repeat_backbone:
        name, optimizer = settings.network, settings.optimization.optimizer
        if not name.startswith("deeplabv2_") or optimizer != "sgd":
            both = message(f"only for deeplabv2_resnet101 with optimizer: sgd, but got {name} with {optimizer}")
            lines.append(message(f"training.repeat_backbone: {both}; set it to false"))
    smallest = network_entry(settings.network).smallest_batch
    if settings.target is not None and settings.target.batch_norm == "frozen":  # which does not look at the batch
        return lines
    return lines + [
        message(f"network, {key}: {settings.network} needs at least {smallest} images in a batch, but got {batch}")
        for key, (_, _, batch) in batches.items()
        if batch < smallest
    ]
