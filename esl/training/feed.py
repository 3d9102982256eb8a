"""The batches of a training, on its device."""

from collections.abc import Iterator
from typing import NamedTuple

from lightning_fabric import Fabric
from torch import Tensor

from esl.data.stream import Stream, batches
from esl.training.settings import TrainSettings


class Batch(NamedTuple):
    """S labelled source images and, with a target, T target images with their pseudo-labels; all uint8."""

    source_image: Tensor  # (S, 3, h, w)
    source_label: Tensor  # (S, h, w)
    target_image: Tensor | None = None  # (T, 3, h', w')
    target_label: Tensor | None = None  # (T, h', w')


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
        yield Batch(*(fabric.to_device(tensor) for part in parts for tensor in part))
