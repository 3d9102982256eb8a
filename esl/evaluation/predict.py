"""Runs a trained network over images: to confusion matrices, or to predictions as PNGs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.data.images import Resize
from esl.data.index import Index
from esl.evaluation.metrics import confusion_matrix
from esl.files import sha256_of_file
from esl.labels.confidence import label_map
from esl.labels.png import png_path, remove_others, write_png
from esl.models.predictor import Prediction, Predictor, extra_threads
from esl.prefetch import prefetch


def confusions_on(
    predictor: Predictor, index: Index, *, to: Resize, batch: int, workers: int = 1
) -> Iterator[NDArray[np.int64]]:
    """The confusion matrix (C + F, C) of each labelled sample in turn, predicted at the resolution of its label file.

    The last F rows are those of labels that the class set calls foreign.

    Images are resized to ``to`` for the network, ``batch`` at a time on a GPU.
    """
    num_classes, num_foreign = len(index.class_set), len(index.class_set.foreign)

    def compare(prediction: Prediction) -> NDArray[np.int64]:
        truth = index.read_scored_label(prediction.sample)
        height, width = truth.shape
        return confusion_matrix(truth, label_map(prediction.probability, (height, width)), num_classes, num_foreign)

    predictions = predictor.predictions(index, index.labelled, to=to, batch=batch, workers=workers)
    yield from prefetch(compare, predictions, extra_threads(workers))


def write_predictions(
    predictor: Predictor, index: Index, folder: Path, *, to: Resize, batch: int, workers: int = 1
) -> tuple[NDArray[np.int64], dict[str, str]]:
    """One PNG of trainIds per image, at the image's own size; other PNGs in ``folder`` are removed.

    Returns the pixels of every class (C,) and the SHA-256 of every file by the sample's id.
    """
    num_classes = len(index.class_set)

    def write(prediction: Prediction) -> tuple[Path, str, NDArray[np.int64]]:
        width, height = prediction.sample.size_wh
        label = label_map(prediction.probability, (height, width))
        png = png_path(folder, prediction.sample.id)
        write_png(png, label, index.class_set)
        return png, sha256_of_file(png), np.bincount(label.ravel(), minlength=num_classes)

    pixels = np.zeros(num_classes, dtype=np.int64)
    digests: dict[Path, str] = {}
    predictions = predictor.predictions(index, index.samples, to=to, batch=batch, workers=workers)
    for png, digest, counts in prefetch(write, predictions, extra_threads(workers)):
        pixels += counts
        digests[png] = digest
    remove_others(folder, digests)
    return pixels, {png.stem: digest for png, digest in digests.items()}
