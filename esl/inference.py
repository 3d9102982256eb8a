"""Loops of a trained network over pictures: to the maps of a shard, and to a confusion matrix."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby

import numpy as np
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn
from tqdm import tqdm

from esl.classes import CLASS_SETS
from esl.confidence import confidence_maps, stride_probability
from esl.datasets.index import Index, IndexedSample
from esl.datasets.reading import Size, read_label, read_picture
from esl.fixed_point import code_histogram
from esl.maps import ShardWriter
from esl.metrics import confusion_matrix
from esl.models import as_input

Batch = tuple[list[IndexedSample], list[NDArray[np.uint8]]]


class Predictor:
    """A network ready to look at pictures, on the device and in the precision of ``fabric``."""

    def __init__(self, network: nn.Module, fabric: Fabric) -> None:
        self._fabric = fabric
        self._network = fabric.setup_module(network.eval().to(memory_format=torch.channels_last))

    @torch.inference_mode()
    def probability(self, pictures: list[NDArray[np.uint8]]) -> Tensor:
        """Softmax at the network's stride, (N, C, h, w) float32, of pictures (H, W, 3) of one size."""
        batch = self._fabric.to_device(torch.from_numpy(np.stack(pictures)))
        return stride_probability(self._network(as_input(batch.permute(0, 3, 1, 2))))


def write_maps(
    predictor: Predictor,
    index: Index,
    samples: list[IndexedSample],
    writer: ShardWriter,
    *,
    size: Size | None,
    batch: int,
) -> None:
    """Fills a shard with the maps of ``samples``, at the size of the pictures that the network saw."""
    num_classes = len(CLASS_SETS[index.class_set])
    for chosen, pictures in _batches(index, samples, size, batch):
        probability = predictor.probability(pictures)
        maps = confidence_maps(probability, pictures[0].shape[:2])
        for row, sample in enumerate(chosen):
            codes = {"entropy": maps.entropy[row], "confidence": maps.confidence[row]}
            histograms = {name: code_histogram(maps.label[row], value, num_classes) for name, value in codes.items()}
            stored = probability[row].cpu().numpy().astype(np.float16)
            writer.append(sample.id, stored, maps.label[row], codes, histograms)


def confusion_on(predictor: Predictor, index: Index, *, size: Size | None, batch: int) -> NDArray[np.int64]:
    """The confusion matrix (C, C) over every labelled sample, predicted at the resolution of its label file."""
    num_classes = len(CLASS_SETS[index.class_set])
    table = index.table()
    confusion = np.zeros((num_classes, num_classes), dtype=np.int64)
    for chosen, pictures in _batches(index, index.samples, size, batch):
        probability = predictor.probability(pictures)
        for row, sample in enumerate(chosen):
            truth = read_label(index.label(sample), table)
            prediction = confidence_maps(probability[row : row + 1], truth.shape).label[0]
            confusion += confusion_matrix(truth, prediction, num_classes)
    return confusion


def _batches(index: Index, samples: list[IndexedSample], size: Size | None, batch: int) -> Iterator[Batch]:
    """Neighbouring samples whose pictures have one size, at most ``batch`` at a time; the next batch is read ahead."""
    runs = (list(run) for _, run in groupby(samples, key=lambda sample: size or sample.size))
    groups = [run[start : start + batch] for run in runs for start in range(0, len(run), batch)]

    def read(group: list[IndexedSample]) -> Batch:
        return group, [read_picture(index.picture(sample), size) for sample in group]

    with ThreadPoolExecutor(1) as reader, tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        ahead = [reader.submit(read, group) for group in groups[:2]]
        for number in range(len(groups)):
            ready = ahead.pop(0).result()
            if number + 2 < len(groups):
                ahead.append(reader.submit(read, groups[number + 2]))
            yield ready
            bar.update(len(ready[0]))
