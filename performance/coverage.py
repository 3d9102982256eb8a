"""How often 95 % intervals for mIoU hold the truth, when few of the images of a validation set are scored.

    python -m performance.coverage results/gta2city/{source,control-round2,esl-round2}/confusions.npz

All images of the files are the population. Of these, 5, 10, 20 and 40 are drawn at random with replacement, 2,000
times. The truth is the mean IoU over all images, of the classes in the labels of the drawn ones, or the difference of
two models in it. A second table has draws without replacement, whose intervals are shorter by sqrt(1 - n / N), as they
must be when a part of a finite population is known (Cochran, Sampling Techniques, 1977, section 2.6).
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.evaluation.confusions import IouCounts, read_confusions
from esl.evaluation.intervals import Interval, Jackknife, interval, jackknife, mean_over, t_quantile
from esl.tables import row

DRAWS = 2000
REPLICATES = 400
SIZES = (5, 10, 20, 40)
CHUNK = 50
"""Draws that are computed at once."""
NORMAL = 1.959964

Floats = NDArray[np.float64]


class Sample(NamedTuple):
    """Drawn images (D, n, C) of one model, or of two to be compared, and the classes (D, C) in their labels."""

    counts: list[IouCounts]
    classes: NDArray[np.bool_]


Method = Callable[[Sample], Interval]


def left_out(counts: list[IouCounts]) -> Jackknife:
    """The jackknife of a model, or of the first one minus the second."""
    first, *others = map(jackknife, counts)
    return first.minus(others[0]) if others else first


def around_the_estimate(sample: Sample) -> Interval:
    """The interval of the project."""
    return interval(left_out(sample.counts), sample.classes)


def losses(sample: Sample) -> tuple[Floats, Floats]:
    """The estimate (D,), and how it changes without each image (D, n)."""
    found = left_out(sample.counts)
    value, without = mean_over(found.iou, sample.classes), mean_over(found.without, sample.classes[:, None])
    return value, np.where(np.isnan(without), 0, value[:, None] - without)


def symmetric(value: Floats, half: Floats) -> Interval:
    return Interval(value, value - half, value + half, half)


def jackknife_normal(sample: Sample) -> Interval:
    """Delete-one jackknife, normal quantile."""
    value, loss = losses(sample)
    return symmetric(value, NORMAL * spread(loss))


def jackknife_centred(sample: Sample) -> Interval:
    """Delete-one jackknife around the mean without each image, Student's t."""
    value, loss = losses(sample)
    return symmetric(value, t_quantile(loss.shape[1] - 1) * spread(loss - loss.mean(axis=1, keepdims=True)))


def jackknife_corrected(sample: Sample) -> Interval:
    """The same, moved by the jackknife's estimate of the bias."""
    value, loss = losses(sample)
    images = loss.shape[1]
    half = t_quantile(images - 1) * spread(loss - loss.mean(axis=1, keepdims=True))
    return symmetric(value + (images - 1) * loss.mean(axis=1), half)


def jackknife_transformed(sample: Sample) -> Interval:
    """Delete-one jackknife on the scale log((1 + x) / (1 - x)) for differences, log(x / (1 - x)) for mIoU; t."""
    value, loss = losses(sample)
    low = 0.0 if len(sample.counts) == 1 else -1.0

    def stretched(x: Floats) -> Floats:
        return np.log((x - low + 1e-9) / (1 - x + 1e-9))

    moved = stretched(value)
    half = t_quantile(loss.shape[1] - 1) * spread(moved[:, None] - stretched(value[:, None] - loss))
    back = [(np.exp(end) + low) / (1 + np.exp(end)) for end in (moved - half, moved + half)]
    return Interval(value, back[0], back[1], half)


def jackknife_plain(sample: Sample) -> Interval:
    """Delete-one jackknife around the estimate, Student's t with n - 1 degrees of freedom."""
    value, loss = losses(sample)
    return symmetric(value, t_quantile(loss.shape[1] - 1) * spread(loss))


def jackknife_kurtosis(sample: Sample) -> Interval:
    """The same with 2 n / (kurtosis - 1) degrees of freedom, those of a variance."""
    value, loss = losses(sample)
    images = loss.shape[1]
    kurtosis = images * (loss**4).sum(axis=1) / np.maximum((loss**2).sum(axis=1), 1e-30) ** 2
    degrees = np.clip(np.rint(2 * images / np.maximum(kurtosis - 1, 1e-9)), 1, images - 1).astype(int)
    quantile = np.array([0.0, *(t_quantile(number) for number in range(1, images))])[degrees]
    return symmetric(value, quantile * spread(loss))


def linearised(sample: Sample) -> Interval:
    """Taylor linearisation of the ratios, Student's t."""
    value, influence = influences(sample)
    images = influence.shape[1]
    return symmetric(value, t_quantile(images - 1) * np.sqrt(images / (images - 1) * (influence**2).sum(axis=1)))


def influences(sample: Sample) -> tuple[Floats, Floats]:
    """The estimate (D,), and the linear part of each image in it (D, n)."""
    share = (sample.classes / sample.classes.sum(axis=-1, keepdims=True))[:, None]
    value, influence = np.zeros(len(sample.classes)), np.zeros(sample.counts[0].hits.shape[:2])
    for sign, (hits, unions) in zip((1, -1), sample.counts, strict=False):
        total = np.maximum(unions.sum(axis=1, keepdims=True), 1)
        iou = hits.sum(axis=1, keepdims=True) / total
        value += sign * (iou * share)[:, 0].sum(axis=-1)
        influence += sign * ((hits - iou * unions) / total * share).sum(axis=-1)
    return value, influence


def spread(loss: Floats) -> Floats:
    """The jackknife's standard error (D,)."""
    images = loss.shape[1]
    error: Floats = np.sqrt((images - 1) / images * (loss**2).sum(axis=1))
    return error


class Replicates(NamedTuple):
    """Estimates (D,), those of bootstrap replicates (D, B) and, if asked for, their standard errors (D, B)."""

    value: Floats
    of: Floats
    errors: Floats | None


def replicates(sample: Sample, *, studentised: bool = False) -> Replicates:
    """Draws the images of each sample again with replacement, the same way for every sample."""
    images = sample.classes.shape, sample.counts[0].hits.shape[1]
    weights = np.random.default_rng(0).multinomial(images[1], np.full(images[1], 1 / images[1]), size=REPLICATES)
    parts = []
    for start in range(0, len(sample.classes), CHUNK):
        chosen = slice(start, start + CHUNK)
        part = Sample([IouCounts(*(pixels[chosen] for pixels in own)) for own in sample.counts], sample.classes[chosen])
        parts.append(_replicates(part, weights.astype(np.float64), studentised=studentised))
    of, errors = (np.concatenate(own) for own in zip(*parts, strict=True))
    return Replicates(losses(sample)[0], of, errors if studentised else None)


def _replicates(sample: Sample, weights: Floats, *, studentised: bool) -> tuple[Floats, Floats]:
    """Estimates (D, B), over the classes that each replicate has, and their linearised standard errors."""
    present = np.stack([np.matmul(weights, own.unions.astype(np.float64)) for own in sample.counts]).min(axis=0) > 0
    share = present * sample.classes[:, None]
    share = share / np.maximum(share.sum(axis=-1, keepdims=True), 1)  # (D, B, C)
    value, influence = np.zeros(share.shape[:2]), np.zeros((*share.shape[:2], weights.shape[1]))
    for sign, (hits, unions) in zip((1, -1), sample.counts, strict=False):
        total = np.maximum(np.matmul(weights, unions.astype(np.float64)), 1)
        iou = np.matmul(weights, hits.astype(np.float64)) / total
        value += sign * (iou * share).sum(axis=-1)
        if studentised:
            scale = share / total
            influence += sign * (
                np.matmul(scale, hits.swapaxes(1, 2).astype(np.float64))
                - np.matmul(scale * iou, unions.swapaxes(1, 2).astype(np.float64))
            )
    return value, np.sqrt((weights * influence**2).sum(axis=-1))


def percentile(sample: Sample) -> Interval:
    """Percentile bootstrap over images."""
    drawn = replicates(sample)
    low, high = np.quantile(drawn.of, (0.025, 0.975), axis=1)
    return Interval(drawn.value, low, high, high - low)


def bca(sample: Sample) -> Interval:
    """Bias-corrected and accelerated bootstrap (Efron, 1987)."""
    from scipy.special import ndtr, ndtri

    drawn, (_, loss) = replicates(sample), losses(sample)
    below = ((drawn.of < drawn.value[:, None]).sum(axis=1) + 0.5) / (REPLICATES + 1)
    centred = loss - loss.mean(axis=1, keepdims=True)
    skew = (centred**3).sum(axis=1) / np.maximum(6 * (centred**2).sum(axis=1) ** 1.5, 1e-30)
    ends = []
    for quantile in (-NORMAL, NORMAL):
        moved = ndtri(below) + quantile
        place = ndtr(ndtri(below) + moved / (1 - skew * moved))
        ends.append(np.array([np.quantile(*pair) for pair in zip(drawn.of, place, strict=True)]))
    return Interval(drawn.value, ends[0], ends[1], ends[1] - ends[0])


def bootstrap_t(sample: Sample) -> Interval:
    """Bootstrap of the estimate divided by its linearised standard error."""
    drawn = replicates(sample, studentised=True)
    _, influence = influences(sample)
    error = np.sqrt((influence**2).sum(axis=1))
    assert drawn.errors is not None
    ratio = (drawn.of - drawn.value[:, None]) / np.maximum(drawn.errors, 1e-9)
    low, high = np.quantile(ratio, (0.025, 0.975), axis=1)
    return Interval(drawn.value, drawn.value - high * error, drawn.value - low * error, error)


METHODS: Mapping[str, Method] = {
    "percentile bootstrap": percentile,
    "BCa": bca,
    "bootstrap-t": bootstrap_t,
    "linearised, t": linearised,
    "jackknife, normal": jackknife_normal,
    "jackknife, t, centred": jackknife_centred,
    "the same, bias corrected": jackknife_corrected,
    "jackknife, t, on a logit scale": jackknife_transformed,
    "jackknife, t": jackknife_plain,
    "jackknife, t, degrees by kurtosis": jackknife_kurtosis,
    "**the project's**": around_the_estimate,
}


class Population(NamedTuple):
    """All images (N, C) of one model or of two, with the pixels of truth (N, C)."""

    name: str
    counts: list[IouCounts]
    truth: NDArray[np.int64]

    def drawn(self, numbers: NDArray[np.int64]) -> Sample:
        """The images of the given numbers (D, n)."""
        counts = [IouCounts(own.hits[numbers], own.unions[numbers]) for own in self.counts]
        return Sample(counts, self.truth[numbers].sum(axis=1) > 0)

    def value(self, classes: NDArray[np.bool_]) -> Floats:
        """The mean over ``classes`` (D, C) of all images, or the difference in it."""
        totals = [(own.hits.sum(axis=0), np.maximum(own.unions.sum(axis=0), 1)) for own in self.counts]
        first, *others = [hits / unions for hits, unions in totals]
        iou = first - others[0] if others else first
        mean: Floats = (classes * iou).sum(axis=-1) / classes.sum(axis=-1)
        return mean


def populations(files: list[Path]) -> Iterator[Population]:
    """Every model, and every model but the first against the one before it."""
    models = {}
    for path in files:
        confusions = read_confusions(path)
        truth = np.zeros((len(confusions.ids), confusions.shape[1]), dtype=np.int64)
        class_ = confusions.cell // confusions.shape[1]
        own = class_ < confusions.shape[1]
        np.add.at(truth, (confusions.image[own], class_[own]), confusions.pixels[own])
        models[path.parent.name] = confusions.iou_counts(), truth
    for name, (counts, truth) in models.items():
        yield Population(name, [counts], truth)
    for other, name in pairwise(models):
        yield Population(f"{name} - {other}", [models[name][0], models[other][0]], models[name][1])


def coverage(population: Population, method: Method, size: int, *, replace: bool) -> tuple[float, float]:
    """The percentage of intervals that hold the truth, and their median half width in points."""
    images = len(population.truth)
    chance = np.random.default_rng(size)
    if replace:
        numbers = chance.integers(0, images, (DRAWS, size))
    else:
        numbers = np.argsort(chance.random((DRAWS, images)), axis=1)[:, :size]
    sample = population.drawn(numbers)
    value, low, high, _ = method(sample)
    known = 1.0 if replace else np.sqrt(1 - size / images)
    truth = population.value(sample.classes)
    held = (value - known * (value - low) <= truth) & (truth <= value + known * (high - value))
    return 100 * float(held.mean()), 100 * float(np.median(high - low)) / 2 * known


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="confusions.npz of models over the same images")
    flags = parser.parse_args()
    chosen = [*populations(flags.files)]
    for replace in (True, False):
        print(f"\n{DRAWS} draws with{'' if replace else 'out'} replacement of {len(chosen[0].truth)} images\n")
        heads = [f"{population.name}, {size}" for population in chosen for size in SIZES]
        print(row(["coverage in percent (half width in points)", *heads]))
        print(row(["---", *["---:"] * len(heads)]))
        for name, method in METHODS.items():
            cells = [coverage(population, method, size, replace=replace) for population in chosen for size in SIZES]
            print(row([name, *(f"{held:.1f} ({half:.1f})" for held, half in cells)]), flush=True)


if __name__ == "__main__":
    main()
