"""The confusion matrix of a full Cityscapes label, against the form that most code bases share."""

import os

import numpy as np
import torch
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.evaluation.metrics import confusion_matrix
from esl.labels.confidence import label_map
from esl.models.predictor import extra_threads, stride_probability
from esl.prefetch import prefetch
from performance.scenes import scene_logits
from performance.timing import best_ms

SIZE_HW = (1024, 2048)


def usual_confusion_matrix(label: NDArray[np.uint8], pred: NDArray[np.uint8], n: int) -> NDArray[np.int64]:
    """As in FCN's evaluation, and in most projects since."""
    mask = (label >= 0) & (label < n)
    return np.bincount(n * label[mask].astype(int) + pred[mask], minlength=n**2).reshape(n, n)


def measure_evaluation(labels: int = 40) -> dict[str, float]:
    """Milliseconds per label of 1024 x 2048 pixels, the prediction right in most places, an eighth ignored.

    ``ours_ms`` is one call on one thread; ``stream_ms`` is what a label costs when the matrices of many are summed as
    the evaluate stage does, on all cores. The usual form cannot share cores: numpy's bincount keeps the interpreter.
    """
    torch.set_num_threads(1)
    prediction, other = (label_map(stride_probability(scene_logits(number)[None])[0], SIZE_HW) for number in (0, 1))
    rng = np.random.default_rng(0)
    blocks = np.kron(rng.random((SIZE_HW[0] // 32, SIZE_HW[1] // 32)), np.ones((32, 32)))
    truth = np.where(blocks < 0.1, other, prediction)
    truth[blocks > 0.875] = IGNORE
    assert np.array_equal(usual_confusion_matrix(truth, prediction, 19), confusion_matrix(truth, prediction, 19))
    cores = len(os.sched_getaffinity(0))

    def stream() -> None:
        sum(prefetch(lambda _: confusion_matrix(truth, prediction, 19), range(labels), extra_threads(cores)))

    usual = best_ms(lambda: usual_confusion_matrix(truth, prediction, 19), 15)
    ours = best_ms(lambda: confusion_matrix(truth, prediction, 19), 15)
    streamed = best_ms(stream) / labels
    ratios = {"ratio": usual / ours, "stream_ratio": usual / streamed}
    return {"usual_ms": usual, "ours_ms": ours, "stream_ms": streamed, **ratios}
