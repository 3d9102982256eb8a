"""The parts of the scored images that vary independently of each other: images, sequences, or blocks of sequences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.data.sequences import frame_order, sequence_of
from esl.evaluation.confusions import Confusions, IouCounts

ENOUGH = 8
"""Sequences of equal length that are enough to be left out one by one."""

BLOCKS = 12
"""Blocks that fewer sequences are cut into."""


class Units(NamedTuple):
    """The number of the unit of each image (N,), and what the units are, in words."""

    of_image: NDArray[np.int64]
    words: str

    @property
    def number(self) -> int:
        """The number of units."""
        return int(self.of_image.max(initial=-1)) + 1

    def summed(self, counts: IouCounts) -> IouCounts:
        """The counts of images (N, C), added up for each unit (G, C)."""
        sums = IouCounts(*(np.zeros((self.number, pixels.shape[1]), dtype=np.int64) for pixels in counts))
        for total, pixels in zip(sums, counts, strict=True):
            np.add.at(total, self.of_image, pixels)
        return sums


def units_of(confusions: Confusions) -> Units:
    """The units of the images of ``confusions``.

    Frames of one drive resemble each other. So whole sequences are units where there are enough of them; else each is
    cut into blocks of consecutive images. Images drawn at random, or each of its own sequence, are units themselves.
    """
    images = len(confusions.ids)
    if confusions.drawn_at_random:
        return Units(np.arange(images), _number(images, "image"))
    names = [sequence_of(*sample) for sample in zip(confusions.ids, confusions.images, strict=True)]
    sequences, of_image, sizes = np.unique(names, return_inverse=True, return_counts=True)
    if len(sequences) == images:
        return Units(np.arange(images), _number(images, "image"))
    if images**2 >= ENOUGH * (sizes**2).sum():  # as many as that number of equal ones, or more
        return Units(of_image.astype(np.int64), _number(len(sequences), "sequence"))
    return _blocks(confusions.ids, of_image, sizes)


def _blocks(ids: Sequence[str], of_image: NDArray[np.int64], sizes: NDArray[np.int64]) -> Units:
    """Blocks of consecutive images, each of one sequence, of nearly equal length."""
    longest = -(-len(ids) // BLOCKS)
    order = sorted(range(len(ids)), key=lambda number: (of_image[number], frame_order(ids[number])))
    units = np.zeros(len(ids), dtype=np.int64)
    blocks = 0
    for frames in np.split(np.array(order), np.cumsum(sizes)[:-1]):
        for block in np.array_split(frames, -(-len(frames) // longest)):
            units[block] = blocks
            blocks += 1
    words = f"{_number(blocks, 'block')} of up to {longest} consecutive images of {_number(len(sizes), 'sequence')}"
    return Units(units, words)


def _number(count: int, name: str) -> str:
    return f"{count} {name}{'' if count == 1 else 's'}"
