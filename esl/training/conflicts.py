"""Settings of a training that exclude each other: checked while jobs are planned, and by the train stage."""

from esl.models.registry import network_entry, pretrained_mistake
from esl.settings import resize_wh
from esl.training.settings import TrainSettings
from esl.training.terms.registry import term_settings


def conflicts(settings: TrainSettings, *, activation_checkpointing: bool) -> list[str]:
    """A line for each conflict, which starts with its config key below the benchmark; none: the training can start."""
    lines = _of_the_network(settings)
    if settings.compile and activation_checkpointing:  # torch does not vouch for the two together
        lines.append("compute.compile, compute.activation_checkpointing: exclude each other; set one of them to false")
    target = settings.target
    if target is not None and target.term is not None:
        lines += term_settings(target.term, target.term_settings).conflicts(settings)
    if settings.augmentation.crop == "whole":
        lines += _mixed_sizes("source", settings.source_size, settings.schedule.source_batch)
        if target is not None:
            lines += _mixed_sizes("target", target.target_size, target.target_batch)
    return lines


def _of_the_network(settings: TrainSettings) -> list[str]:
    """Weights that do not fit the network, and batches that are too small for its batch norm."""
    lines = []
    if mistake := pretrained_mistake(settings.network, settings.pretrained):
        lines.append(f"pretrained: {mistake}")
    smallest = network_entry(settings.network).smallest_batch
    batches = {"source_batch": settings.schedule.source_batch}
    if settings.target is not None:
        batches["target_batch"] = settings.target.target_batch
        if settings.target.batch_norm == "frozen":  # which does not look at the batch
            return lines
    return lines + [
        f"network, {key}: {settings.network} needs at least {smallest} images in a batch, but got {batch}"
        for key, batch in batches.items()
        if batch < smallest
    ]


def _mixed_sizes(domain: str, resize: str | int, batch: int) -> list[str]:
    """Whole images of several sizes cannot form a batch."""
    if batch == 1 or isinstance(resize_wh(resize), tuple):
        return []
    return [
        f"training.crop, {domain}.size, {domain}_batch: whole images of several sizes cannot form a batch of {batch}; "
        "set the size to WIDTHxHEIGHT, the batch to 1, or a crop"
    ]
