"""Rare-class sampling: images drawn by the rarity of their classes (DAFormer, Hoyer et al. 2022, section 3.3)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from esl.classes import IdTable
from esl.data.images import File, read_label
from esl.prefetch import prefetch

MIN_SHARE = 0.0015
"""Least share of a class among the pixels of a drawn image: DAFormer's 3,000 pixels of a GTA5 image."""


@dataclass(frozen=True)
class RareClassDraws:
    """Samples a class (rare classes more often), then an image with enough of it."""

    probability: NDArray[np.float64]  # (K), of the classes in any image; sums to 1
    images: tuple[NDArray[np.intp], ...]  # K times the rows of the images with enough of the class

    @classmethod
    def of(cls, pixels: Sequence[Sequence[int]], sizes: Sequence[int], temperature: float) -> "RareClassDraws | None":
        """The draws over images of ``sizes`` pixels, with ``pixels`` (image, class) labelled pixels.

        P(c) is proportional to exp((1 - f_c) / T), f_c the share of class c among labelled pixels. Absent classes are
        left out. If no image holds ``MIN_SHARE`` of a class, every image with any of it is drawn. ``None``: no pixel
        has a class.

        >>> draws = RareClassDraws.of([[90, 0], [90, 20]], [120, 120], temperature=1.0)
        >>> draws.probability.round(3).tolist(), [rows.tolist() for rows in draws.images]
        ([0.31, 0.69], [[0, 1], [1]])
        """
        counts = np.array(pixels, dtype=np.int64)  # (N, C)
        if not counts.sum():
            return None
        present = np.flatnonzero(counts.sum(axis=0))
        exponents = (1 - counts.sum(axis=0)[present] / counts.sum()) / temperature
        weights = np.exp(exponents - exponents.max())
        enough = counts >= MIN_SHARE * np.array(sizes)[:, None]
        images = [np.flatnonzero(enough[:, c] if enough[:, c].any() else counts[:, c]) for c in present]
        return cls(weights / weights.sum(), tuple(images))

    def row(self, rng: np.random.Generator) -> int:
        """The row of a drawn image."""
        images = self.images[rng.choice(len(self.images), p=self.probability)]
        return int(images[rng.integers(len(images))])


def draws_by_labels(
    labels: Sequence[File], table: IdTable, num_classes: int, temperature: float, *, workers: int = 1
) -> RareClassDraws | None:
    """The draws over images with these label files; reads each file once, in ``workers`` threads.

    Raises:
        InputError: a file is missing, damaged, or has changed since it was written.
    """
    counts = prefetch(lambda file: np.bincount(read_label(file, table).ravel(), minlength=256), labels, workers)
    pixels, sizes = [], []
    for count in counts:
        pixels.append(count[:num_classes].tolist())
        sizes.append(int(count.sum()))
    return RareClassDraws.of(pixels, sizes, temperature)
