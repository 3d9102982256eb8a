"""The purposes that random draws of a training serve: each has a generator of its own, made from the seed."""

from enum import IntEnum


class Purpose(IntEnum):
    """Follows the seed in the key of a generator; its numbers are part of every result."""

    SOURCE = 0
    """Order and augmentation of labelled images."""
    TARGET = 1
    """Order and augmentation of target images."""
    STEP = 2
    """Draws within an iteration: dropout, mixing, masks."""
    LABELLED = 3
    """Order and augmentation of labelled target images."""
