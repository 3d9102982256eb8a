"""Intervals of 95 % for the mIoU of a model, and for the difference between two models over the same images.

The images that were scored stand for all images of their kind. The mIoU is a mean of ratios of sums over images. Each
image (or sequence, or block of a sequence) is left out once: the delete-one jackknife, around the mIoU itself, with
Student's t (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 11). Where few images decide the
score, as those with a rare class do, t has fewer degrees of freedom. Nothing is drawn at random.
``python -m performance.coverage`` measures how often the intervals hold the truth; docs/results.md has the table.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from math import ceil, log10, sqrt
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.evaluation.confusions import Confusions, Counts, IouCounts
from esl.evaluation.contents import Difference, Intervals
from esl.evaluation.units import units_of

Floats = NDArray[np.float64]

LEVEL = 0.95
"""The share of intervals that hold the truth."""

DEGREES, LEAST_DEGREES = 1.2, 3
"""Degrees of freedom for each unit that decides the score, and the fewest in all, unless there are fewer units.

The units that decide are counted by (sum of x^2)^2 / (sum of x^4) over the changes x of the score without each: their
number if the changes are of equal size, 1 if one has all. Both constants were chosen by ``performance.coverage``.
"""

TINY = 1e-60
"""Below every sum of changes: without any change there is no unit that decides."""

SOURCE = "source"
"""The model that was trained on the source alone."""

POINTS = 20_001
"""Points of the numerical integral in ``t_quantile``."""

MOST_IMAGES = 100_000
"""More images than anybody labels: no number is given above it."""


class Interval(NamedTuple):
    """A number, the ends of its interval and its standard error; arrays of them, where there are several draws."""

    value: Floats
    low: Floats
    high: Floats
    error: Floats


class Jackknife(NamedTuple):
    """The IoU of each class over all units (..., C), and without each unit (..., G, C); NaN for a class in none."""

    iou: Floats
    without: Floats

    def minus(self, other: "Jackknife") -> "Jackknife":
        """The jackknife of the difference to ``other``, over the same units."""
        return Jackknife(self.iou - other.iou, self.without - other.without)


def jackknife(counts: IouCounts) -> Jackknife:
    """Leaves out each of G units in turn; hits and unions are (..., G, C)."""
    hits, unions = (pixels.sum(axis=-2, keepdims=True) for pixels in counts)
    return Jackknife(_ratio(hits, unions)[..., 0, :], _ratio(hits - counts.hits, unions - counts.unions))


def _ratio(part: NDArray[Any], whole: Counts) -> Floats:
    """A part of a whole; NaN of nothing."""
    ratio: Floats = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return ratio


def interval(left_out: Jackknife, classes: NDArray[np.bool_]) -> Interval:
    """The mean over ``classes`` (..., C) with its interval; there are two units at least, and a class.

    The true value is the mean over the same classes over all images of their kind: classes that these images lack are
    neither in the mean nor in the interval. Without the only unit of a class, the mean is that of the other classes.
    """
    value = mean_over(left_out.iou, classes)
    without = mean_over(left_out.without, classes[..., None, :])  # (..., G)
    loss = np.where(np.isnan(without), 0, value[..., None] - without)
    units, squares = loss.shape[-1], loss**2
    error = np.sqrt((units - 1) / units * squares.sum(axis=-1))
    deciding = squares.sum(axis=-1) ** 2 / np.maximum((squares**2).sum(axis=-1), TINY)
    degrees = np.clip(np.rint(DEGREES * deciding), min(LEAST_DEGREES, units - 1), units - 1)
    half = np.vectorize(t_quantile)(degrees) * error
    return Interval(value, value - half, value + half, error)


def mean_over(iou: Floats, classes: NDArray[np.bool_]) -> Floats:
    """The mean over the classes that have an IoU (..., C); NaN where none has."""
    present = classes & ~np.isnan(iou)
    number = present.sum(axis=-1)
    return _ratio(np.where(present, iou, 0).sum(axis=-1), number)


@cache
def t_quantile(degrees: float) -> float:
    """How many standard errors an interval of ``LEVEL`` reaches to each side, by Student's t.

    With x = sqrt(degrees) tan(a) the density of a is proportional to cos(a) ** (degrees - 1), which is summed up.

    >>> [round(t_quantile(degrees), 3) for degrees in (1, 4, 19, 1000)]
    [12.706, 2.776, 2.093, 1.962]
    """
    angle = np.linspace(0, np.pi / 2, POINTS)
    density = np.cos(angle) ** (degrees - 1)
    area = np.concatenate([[0], np.cumsum((density[1:] + density[:-1]) / 2)])
    return float(np.sqrt(degrees) * np.tan(np.interp(LEVEL * area[-1], area, angle)))


def images_to_decide(difference: Interval, images: int, units: int) -> int | None:
    """About how many images would decide a difference of this size, to two digits; ``None`` if it is decided.

    Also ``None`` if the models hardly differ, so that more than ``MOST_IMAGES`` would be needed.
    """
    value, low, high, error = map(float, difference)
    if low > 0 or high < 0:
        return None
    half = NormalDist().inv_cdf((1 + LEVEL) / 2) * error * sqrt(images)  # of a single image
    if half >= abs(value) * sqrt(MOST_IMAGES):
        return None
    needed = (half / value) ** 2 + 2 * images / units  # 2 more units for Student's t
    step: int = 10 ** max(0, ceil(log10(needed)) - 2)
    return max(images + 1, ceil(needed / step) * step)


def intervals_of(models: Mapping[str, Confusions], controls: Mapping[str, str]) -> Intervals | None:
    """The intervals of every model's mIoU, and of its differences to its control and to the source model.

    ``models`` were all scored on the same images; ``controls`` has the control of each round, by name.
    ``None`` for fewer than two units, which tell nothing of others.
    """
    first = next(iter(models.values()))
    units = units_of(first)
    if units.number < 2:
        return None
    miou: dict[str, dict[str, list[float] | None]] = {name: {} for name in models}
    differences = []
    for set_, members, foreign in _means(first):
        counts = {name: units.summed(own.iou_counts(foreign=foreign)) for name, own in models.items()}
        left_out = {name: jackknife(own) for name, own in counts.items()}
        for name, own in counts.items():
            miou[name][set_] = _ends(left_out[name], members & own.unions.any(axis=0))
        if not (shared := members & first.labelled).any():
            continue
        for name, other in comparisons([*models], controls):
            found = interval(left_out[name].minus(left_out[other]), shared)
            needed = images_to_decide(found, len(first.ids), units.number)
            value, low, high, _ = map(float, found)
            differences.append(
                Difference(
                    model=name, against=other, set=set_, value=value, low=low, high=high, images_to_decide=needed
                )
            )
    return Intervals(over=units.words, miou=miou, differences=differences)


def _means(confusions: Confusions) -> Iterator[tuple[str, NDArray[np.bool_], bool]]:
    """The name of each mean of miou.json, its classes, and whether pixels of foreign labels count."""
    for foreign in (False, True) if confusions.shape[0] > confusions.shape[1] else (False,):
        for name, members in confusions.sets.items():
            yield f"{name}+foreign" if foreign else name, members, foreign


def _ends(left_out: Jackknife, classes: NDArray[np.bool_]) -> list[float] | None:
    """The interval of a mean, within the range of mIoU; ``None`` without a class."""
    if not classes.any():
        return None
    _, low, high, _ = interval(left_out, classes)
    return [max(0.0, float(low)), min(1.0, float(high))]


def comparisons(models: Sequence[str], controls: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Each model with its control, where there is one, and with the source model."""
    for name in models:
        if name in controls:
            yield name, controls[name]
        if name != SOURCE and SOURCE in models:
            yield name, SOURCE
