"""The loop over predictions: from a trained network to the maps of a shard."""

from collections.abc import Iterable, Sequence

import numpy as np

from esl.data.images import Resize, resized_wh
from esl.data.index import IndexedSample
from esl.labels.confidence import confidence_maps
from esl.labels.measures.base import Measure
from esl.labels.shard import PackedImage, Planes, ShardWriter
from esl.models.predictor import Prediction, Predictor, extra_threads
from esl.prefetch import prefetch


def planes(predictor: Predictor, samples: list[IndexedSample], to: Resize) -> Planes | None:
    """The planes of a shard for the maps of ``samples`` of several sizes; ``None`` where all have one size."""
    sizes = {resized_wh(sample.size_wh, to) for sample in samples}
    if len(sizes) == 1:
        return None
    width, height = (max(lengths) for lengths in zip(*sizes, strict=True))
    stride_height, stride_width = predictor.probability([np.zeros((height, width, 3), np.uint8)]).shape[-2:]
    return Planes((height, width), (stride_height, stride_width))


def write_maps(
    predictions: Iterable[Prediction], measures: Sequence[Measure], writer: ShardWriter, *, workers: int = 1
) -> None:
    """Fills a shard with the maps of every prediction, at the size of the images that the network got.

    ``measures`` are computed for every pixel; ``workers`` threads compute and compress.
    """

    def packed(prediction: Prediction) -> PackedImage:
        sample, size_hw, probability = prediction
        maps = confidence_maps(probability, size_hw, measures)
        return writer.pack(sample.id, {"probability": probability.half().cpu().numpy(), **maps})

    for image in prefetch(packed, predictions, extra_threads(workers)):
        writer.append(image)
