"""Loops of a trained network over pictures: to the maps of a shard, and to a confusion matrix."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from esl.data.images import Resize, read_picture, resized
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.evaluation.metrics import confusion_matrix
from esl.files import sha256_of_file
from esl.labels.confidence import confidence_maps, label_map, stride_probability
from esl.labels.png import png_path, remove_others, write_png
from esl.labels.shard import PackedImage, Planes, ShardWriter
from esl.models.registry import as_input
from esl.prefetch import prefetch

Batch = tuple[list[IndexedSample], list[NDArray[np.uint8]]]

Prediction = tuple[str, Tensor, tuple[int, int]]
"""An image's id, its softmax at the network's stride (C, h, w) float32, and (height, width) of its maps."""


class Predictor:
    """A network ready to look at pictures, on the device and in the precision of ``fabric``.

    On the CPU it looks at one picture at a time, on one thread, as many at once as there are workers: the order of
    additions in float32 depends on batch and threads, and neither may change a byte of what is stored.
    """

    def __init__(self, network: nn.Module, fabric: Fabric) -> None:
        self._fabric = fabric
        self._network = fabric.setup_module(network.eval().to(memory_format=torch.channels_last))
        self._on_cpu = fabric.device.type == "cpu"
        if self._on_cpu:
            torch.set_num_threads(1)

    @torch.inference_mode()
    def probability(self, pictures: list[NDArray[np.uint8]]) -> Tensor:
        """Softmax at the network's stride, (N, C, h, w) float32, of pictures (H, W, 3) of one size."""
        batch = self._fabric.to_device(torch.from_numpy(np.stack(pictures)))
        return stride_probability(self._network(as_input(batch.permute(0, 3, 1, 2))).main)

    def predictions(
        self, index: Index, samples: list[IndexedSample], *, size: Resize, batch: int, workers: int
    ) -> Iterator[tuple[IndexedSample, tuple[int, int], Tensor]]:
        """Every sample with (height, width) of the picture that the network saw, and its softmax (C, h, w)."""

        def predict(read: Batch) -> tuple[list[IndexedSample], tuple[int, int], Tensor]:
            chosen, pictures = read
            height, width = pictures[0].shape[:2]
            try:
                return chosen, (height, width), self.probability(pictures)
            except InputError as error:
                raise InputError(f"{', '.join(sample.picture for sample in chosen)}: {error}") from None

        batches = _batches(index, samples, size, 1 if self._on_cpu else batch)
        for chosen, seen, probability in prefetch(predict, batches, helpers(workers) if self._on_cpu else 1):
            for sample, probability_Chw in zip(chosen, probability, strict=True):
                yield sample, seen, probability_Chw


def planes(predictor: Predictor, samples: list[IndexedSample], size: Resize) -> Planes | None:
    """The planes of a shard that hold the maps of ``samples`` of several sizes; ``None`` where they have one."""
    sizes = {resized(sample.size, size) for sample in samples}
    if len(sizes) == 1:
        return None
    width, height = (max(lengths) for lengths in zip(*sizes, strict=True))
    stride_height, stride_width = predictor.probability([np.zeros((height, width, 3), np.uint8)]).shape[-2:]
    return Planes((height, width), (stride_height, stride_width))


def write_maps(
    predictor: Predictor,
    index: Index,
    samples: list[IndexedSample],
    writer: ShardWriter,
    *,
    size: Resize,
    batch: int,
    workers: int = 1,
) -> None:
    """Fills a shard with the maps of ``samples``, at the size of the pictures that the network saw."""
    found = predictor.predictions(index, samples, size=size, batch=batch, workers=workers)
    store_maps(((sample.id, probability, seen) for sample, seen, probability in found), writer, workers)


def store_maps(predictions: Iterable[Prediction], writer: ShardWriter, workers: int) -> None:
    """Maps of every prediction into a shard: ``workers`` threads compute and compress them."""

    def packed(prediction: Prediction) -> PackedImage:
        id_, probability, size = prediction
        stored = probability.half().cpu().numpy()
        return writer.pack(id_, {"probability": stored, **confidence_maps(probability, size)._asdict()})

    for image in prefetch(packed, predictions, helpers(workers)):
        writer.append(image)


def confusion_on(
    predictor: Predictor, index: Index, *, size: Resize, batch: int, workers: int = 1
) -> NDArray[np.int64]:
    """The confusion matrix (C, C) over every labelled sample, predicted at the resolution of its label file."""
    num_classes = len(index.class_set)

    def compared(found: tuple[IndexedSample, tuple[int, int], Tensor]) -> NDArray[np.int64]:
        sample, _, probability = found
        truth = index.read_label(sample)
        return confusion_matrix(truth, label_map(probability, truth.shape), num_classes)

    found = predictor.predictions(index, index.labelled, size=size, batch=batch, workers=workers)
    return sum(prefetch(compared, found, helpers(workers)), start=np.zeros((num_classes, num_classes), dtype=np.int64))


def write_predictions(
    predictor: Predictor, index: Index, folder: Path, *, size: Resize, batch: int, workers: int = 1
) -> tuple[NDArray[np.int64], dict[str, str]]:
    """One PNG of trainIds per picture, at the picture's own size; other PNGs in ``folder`` are removed.

    Returns the pixels of every class (C,) and the SHA-256 of every file by the sample's id.
    """
    num_classes = len(index.class_set)

    def write(found: tuple[IndexedSample, tuple[int, int], Tensor]) -> tuple[Path, str, NDArray[np.int64]]:
        sample, _, probability = found
        label = label_map(probability, (sample.size[1], sample.size[0]))
        png = png_path(folder, sample.id)
        write_png(png, label, index.class_set)
        return png, sha256_of_file(png), np.bincount(label.ravel(), minlength=num_classes)

    pixels = np.zeros(num_classes, dtype=np.int64)
    digests: dict[Path, str] = {}
    found = predictor.predictions(index, index.samples, size=size, batch=batch, workers=workers)
    for png, digest, counts in prefetch(write, found, helpers(workers)):
        pixels += counts
        digests[png] = digest
    remove_others(folder, digests)
    return pixels, {png.stem: digest for png, digest in digests.items()}


def helpers(threads: int) -> int:
    """How many threads beside the caller's make up ``threads`` that compute: a single one is better off without."""
    return threads if threads > 1 else 0


def _batches(index: Index, samples: list[IndexedSample], size: Resize, batch: int) -> Iterator[Batch]:
    """Neighbouring samples whose pictures have one size, at most ``batch`` at a time; the next batch is read ahead."""
    runs = (list(run) for _, run in groupby(samples, key=lambda sample: resized(sample.size, size)))
    groups = [run[start : start + batch] for run in runs for start in range(0, len(run), batch)]

    def read(group: list[IndexedSample]) -> Batch:
        return group, [read_picture(index.picture(sample), size) for sample in group]

    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for group, pictures in prefetch(read, groups):
            yield group, pictures
            bar.update(len(group))
