"""The batches of a training, on its device."""

from collections.abc import Iterator
from typing import NamedTuple

from lightning_fabric import Fabric
from torch import Tensor

from esl.data.stream import Stream, batches
from esl.training.settings import TrainSettings


class Streams(NamedTuple):
    """The images of a training: of the source and, where it has them, of the target, and of the target with labels."""

    source: Stream
    target: Stream | None = None
    labelled: Stream | None = None


class Labelled(NamedTuple):
    """N images of one domain, augmented, with their labels."""

    image: Tensor  # (N, 3, h, w) uint8
    label: Tensor  # (N, h, w) uint8 trainIds, or pseudo-labels; IGNORE where there is none


class Batch(NamedTuple):
    """Images of the source and, where a training has them, of the target, and of the target with true labels."""

    source: Labelled
    target: Labelled | None
    labelled: Labelled | None


def feed(streams: Streams, settings: TrainSettings, *, start: int, workers: int, fabric: Fabric) -> Iterator[Batch]:
    """The batches from iteration ``start`` on, ``accumulate`` of them for each iteration."""
    accumulate = settings.optimization.accumulate
    share = {
        "start": start * accumulate,
        "stop": settings.schedule.iterations * accumulate,
        "rank": fabric.global_rank,
        "world_size": fabric.world_size,
    }
    sizes = batch_sizes(settings)
    loaders = [
        batches(stream, batch_size=size, workers=workers, **share)
        for stream, size in zip(streams, sizes, strict=True)
        if stream is not None
    ]
    for parts in zip(*loaders, strict=True):
        images = iter(Labelled(fabric.to_device(image), fabric.to_device(label)) for image, label in parts)
        yield Batch(*(None if stream is None else next(images) for stream in streams))  # type: ignore[arg-type]


def batch_sizes(settings: TrainSettings) -> tuple[int, int, int]:
    """Images of each of ``Streams`` in a batch of one process."""
    target = settings.target
    of_target = (0, 0) if target is None else (target.target_batch, target.labelled_batch)
    return (settings.schedule.source_batch, *of_target)
