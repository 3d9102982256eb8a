"""The batches of a training, on its device."""

from collections.abc import Iterator
from typing import NamedTuple

from lightning_fabric import Fabric
from torch import Tensor

from esl.data.stream import Stream, batches
from esl.training.settings import TrainSettings


class Labelled(NamedTuple):
    """N images of one domain, augmented, with their labels."""

    image: Tensor  # (N, 3, h, w) uint8
    label: Tensor  # (N, h, w) uint8 trainIds, or pseudo-labels; IGNORE where there is none


class Batch(NamedTuple):
    """Images of the source and, where a training has one, of the target."""

    source: Labelled
    target: Labelled | None


def feed(
    source: Stream, target: Stream | None, settings: TrainSettings, *, start: int, workers: int, fabric: Fabric
) -> Iterator[Batch]:
    """The batches from iteration ``start`` on, ``accumulate`` of them for each iteration."""
    accumulate = settings.optimization.accumulate
    share = {
        "start": start * accumulate,
        "stop": settings.schedule.iterations * accumulate,
        "rank": fabric.global_rank,
        "world_size": fabric.world_size,
    }
    streams = [batches(source, batch_size=settings.schedule.source_batch, workers=workers, **share)]
    if target is not None and settings.target is not None:
        streams.append(batches(target, batch_size=settings.target.target_batch, workers=workers, **share))
    for parts in zip(*streams, strict=True):
        domains = [Labelled(fabric.to_device(image), fabric.to_device(label)) for image, label in parts]
        yield Batch(domains[0], domains[1] if target is not None else None)
