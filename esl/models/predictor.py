"""A trained network run over images: from the samples of an index to class probabilities at the network's stride."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from esl.data.images import Resize, resized_wh
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.models.device import Execution
from esl.models.network import as_input
from esl.models.views import Images, mean_probability
from esl.models.windows import windowed_probability
from esl.prefetch import prefetch

Batch = tuple[list[IndexedSample], Images]
"""Samples and their images (H, W, 3), all of one size."""


class Prediction(NamedTuple):
    """A network's prediction for one sample."""

    sample: IndexedSample
    size_hw: tuple[int, int]  # of the image that the network got
    probability: Tensor  # (C, h, w) float32, softmax at the network's stride


class Predictor:
    """A network in evaluation mode, on the device and in the precision of ``execution``.

    With ``views`` its probabilities are the mean over the plain image and those views of it: see ``views.py``. With
    ``window_wh`` it sees windows of that size instead of whole images: see ``windows.py``.

    On the CPU it runs on one image at a time, on one thread, and on as many images in parallel as there are workers:
    the order of float32 additions depends on batch and threads, and neither may change a stored byte.
    """

    def __init__(
        self,
        network: nn.Module,
        execution: Execution,
        views: Sequence[str | float] = (),
        window_wh: tuple[int, int] | None = None,
    ) -> None:
        self._execution, self._views, self._window_wh = execution, views, window_wh
        self._network = execution.setup_module(network.eval().to(memory_format=torch.channels_last))
        self._on_cpu = execution.device.type == "cpu"
        if self._on_cpu:
            torch.set_num_threads(1)

    @torch.inference_mode()
    def probability(self, images: Images) -> Tensor:
        """Softmax at the network's stride, (N, C, h, w) float32, of images (H, W, 3) of one size."""
        return mean_probability(self._of_view, images, self._views) if self._views else self._of_view(images)

    def _of_view(self, images: Images) -> Tensor:
        """The softmax of one view of the images, whole or in windows."""
        if self._window_wh is None:
            return self._of_part(images)
        return windowed_probability(self._of_part, images, self._window_wh)

    def _of_part(self, images: Images) -> Tensor:
        """The softmax of images that the network sees at once."""
        batch = self._execution.to_device(torch.from_numpy(np.stack(images)))
        return stride_probability(self._network(as_input(batch.permute(0, 3, 1, 2))).main)

    def predictions(
        self, index: Index, samples: list[IndexedSample], *, to: Resize, batch: int, workers: int
    ) -> Iterator[Prediction]:
        """The prediction for every sample, its image resized to ``to``, ``batch`` images at a time on a GPU.

        Raises:
            InputError: an image cannot be read, or the network gives no finite logits for it.
        """

        def predict(read: Batch) -> list[Prediction]:
            chosen, images = read
            height, width = images[0].shape[:2]
            try:
                probability = self.probability(images)
            except InputError as error:
                raise InputError(f"{', '.join(sample.image for sample in chosen)}: {error}") from None
            return [Prediction(sample, (height, width), p) for sample, p in zip(chosen, probability, strict=True)]

        batches = _batches(index, samples, to, 1 if self._on_cpu else batch)
        for group in prefetch(predict, batches, extra_threads(workers) if self._on_cpu else 1):
            yield from group


def stride_probability(logits_NChw: Tensor) -> Tensor:
    """Softmax over the classes, at the network's stride, in float32.

    Raises:
        InputError: a logit is NaN or infinite; such a value must never reach a map.
    """
    if not torch.isfinite(logits_NChw).all():
        raise InputError(
            "the network's output holds NaN or infinite logits: its training diverged; lower learning_rate"
        )
    return logits_NChw.float().softmax(dim=1)


def extra_threads(threads: int) -> int:
    """The threads that ``prefetch`` needs for ``threads`` in total: none for one, which is faster in the caller's."""
    return threads if threads > 1 else 0


def _batches(index: Index, samples: list[IndexedSample], to: Resize, batch: int) -> Iterator[Batch]:
    """Neighbouring samples whose images have one size, at most ``batch`` at a time; the next batch is read ahead."""
    runs = (list(run) for _, run in groupby(samples, key=lambda sample: resized_wh(sample.size_wh, to)))
    groups = [run[start : start + batch] for run in runs for start in range(0, len(run), batch)]

    def read(group: list[IndexedSample]) -> Batch:
        return group, [index.read_image(sample, to) for sample in group]

    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for group, images in prefetch(read, groups):
            yield group, images
            bar.update(len(group))
