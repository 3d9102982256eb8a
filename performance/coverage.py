"""How often 95 % intervals for mIoU hold the truth, when few of the images of a validation set are scored.

    python -m performance.coverage results/gta2city/{source,control-round2,esl-round2}/confusions.npz

All images of the files are the population. Of these, 5, 10, 20 and 40 are drawn at random with replacement, 2,000
times. The truth is the mean IoU over all images, of the classes in the labels of the drawn ones, or the difference of
two models in it. A cell has the lowest and the highest coverage over all models, or over all pairs of models.

In the next rows the images are drawn without replacement. As a part of the population is then known, the intervals are
shorter by sqrt(1 - n / N) (Cochran, Sampling Techniques, 1977, section 2.6). In the last rows the images follow one
another, as frames of a drive do; every such run is taken once.
"""

import argparse
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from esl.evaluation.confusions import IouCounts, read_confusions
from esl.evaluation.intervals import Interval, Jackknife, interval, jackknife, mean_over, t_quantile
from esl.evaluation.units import BLOCKS
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
Draw = Callable[[int, int], NDArray[np.int64]]


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
    """Moves ``jackknife_centred`` by the jackknife's estimate of the bias."""
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
    """Delete-one jackknife, Student's t with 2 n / (kurtosis - 1) degrees of freedom, those of a variance."""
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


def populations(files: list[Path]) -> list[list[Population]]:
    """Every model, and every pair of models."""
    models = []
    for path in files:
        confusions = read_confusions(path)
        truth = np.zeros((len(confusions.ids), confusions.shape[1]), dtype=np.int64)
        class_ = confusions.cell // confusions.shape[1]
        own = class_ < confusions.shape[1]
        np.add.at(truth, (confusions.image[own], class_[own]), confusions.pixels[own])
        models.append(Population([confusions.iou_counts()], truth))
    pairs = [Population([*other.counts, *one.counts], one.truth) for one, other in combinations(models, 2)]
    return [models, pairs]


class Coverage(NamedTuple):
    """Percentages of intervals, and their median half width in points."""

    held: float  # those with the truth
    decided: float  # those without 0
    half: float


def coverage(population: Population, method: Method, numbers: NDArray[np.int64], *, known: float) -> Coverage:
    """Scores the images of the given numbers (D, n); ``known`` shortens the intervals."""
    sample = population.drawn(numbers)
    value, low, high, _ = method(sample)
    low, high = value - known * (value - low), value + known * (high - value)
    truth = population.value(sample.classes)
    shares = [100 * float(own.mean()) for own in ((low <= truth) & (truth <= high), (low > 0) | (high < 0))]
    return Coverage(shares[0], shares[1], 100 * float(np.median(high - low)) / 2)


def with_replacement(images: int, size: int) -> NDArray[np.int64]:
    """The numbers of drawn images (D, n)."""
    return np.random.default_rng(size).integers(0, images, (DRAWS, size))


def without_replacement(images: int, size: int) -> NDArray[np.int64]:
    """The numbers of drawn images (D, n)."""
    return np.argsort(np.random.default_rng(size).random((DRAWS, images)), axis=1)[:, :size]


def consecutive(images: int, size: int) -> NDArray[np.int64]:
    """The numbers of every run of images (D, n)."""
    return np.arange(images - size + 1)[:, None] + np.arange(size)


def over_blocks(sample: Sample) -> Interval:
    """The interval of the project over blocks of consecutive images."""
    images = sample.counts[0].hits.shape[1]
    blocks = np.array_split(np.arange(images), -(-images // -(-images // BLOCKS)))
    counts = [
        IouCounts(*(np.stack([pixels[:, block].sum(axis=1) for block in blocks], axis=1) for pixels in own))
        for own in sample.counts
    ]
    return around_the_estimate(Sample(counts, sample.classes))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="confusions.npz of models over the same images")
    flags = parser.parse_args()
    kinds = populations(flags.files)
    images = len(kinds[0][0].truth)
    heads = [f"{kind}, {size} images" for kind in ("mIoU", "difference") for size in SIZES]
    print(row(["coverage, %", *heads]))
    print(row(["---", *["---:"] * len(heads)]))

    def show(
        name: str, method: Method, draw: Draw = with_replacement, *, finite: bool = False, what: str = "held"
    ) -> None:
        cells = []
        for kind in kinds:
            for size in SIZES:
                known, numbers = np.sqrt(1 - size / images) if finite else 1.0, draw(images, size)
                own = [getattr(coverage(population, method, numbers, known=known), what) for population in kind]
                cells.append(f"{min(own):.1f} to {max(own):.1f}")
        print(row([name, *cells]), flush=True)

    for name, method in METHODS.items():
        show(name, method)
    show("its half width, points", around_the_estimate, what="half")
    show("its intervals without 0, %", around_the_estimate, what="decided")
    show("percentile bootstrap, without replacement", percentile, without_replacement, finite=True)
    show("**the project's**, without replacement", around_the_estimate, without_replacement, finite=True)
    show("the same for consecutive images", around_the_estimate, consecutive, finite=True)
    show("for consecutive images, over blocks", over_blocks, consecutive, finite=True)


if __name__ == "__main__":
    main()
