"""From the maps of a teacher and the pseudo-labels of rounds to the scripts that a page loads, one for each image."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esl.classes import IGNORE
from esl.data.images import CheckedFile, read_label
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.figures.thresholds import merged_histogram
from esl.files import atomic_path
from esl.labels.measures.base import Maps
from esl.labels.measures.build import measure_named
from esl.labels.methods.quantile import cut
from esl.labels.png import checked_files, train_id_table
from esl.labels.shard import open_shard, teacher_of
from esl.labels.writer import stored_measures
from esl.prefetch import prefetch
from esl.viewer.counts import counted, squeezed, verdicts
from esl.viewer.levels import Scale, scale_of
from esl.viewer.planes import packed, photograph, sampled, shown_wh
from esl.viewer.rounds import Selection, thresholds_of

PRESENT = 0.001
"""Share of an image from which it counts as holding a class, predicted or true."""

Codes = NDArray[np.uint16]
Labels = NDArray[np.uint8]


class Shown(NamedTuple):
    """An image in the list of the page, and its share of the sums over all."""

    id: str
    kept: float  # share of the image with a pseudo-label of the round
    accuracy: float | None  # share of these that are right, where any are labelled
    classes: list[int]  # that it holds
    own: NDArray[np.int64]  # (C, 3): of the pixels predicted as each class, those kept by the round, right, labelled
    counts: list[NDArray[np.int64]]  # (C, L, 3) of each measure


@dataclass(frozen=True)
class Material:
    """All that is read to show a round: the maps of its teacher, its pseudo-labels, and those of other rounds."""

    index: Index
    shards: Sequence[Path]
    scales: Mapping[str, Scale]  # of every stored measure
    round_: Selection
    others: Sequence[Selection]
    positions: Sequence[list[int] | None]  # of the round and the others: where a slider keeps the same
    files: Sequence[Mapping[str, CheckedFile]]  # of the round and the others: their pseudo-labels, where they are read

    @property
    def drawn(self) -> list[int]:
        """The rounds whose pseudo-labels travel as planes, because no slider keeps the same: 0 is the round itself."""
        return [place for place, known in enumerate(self.positions) if known is None]

    @property
    def key(self) -> str:
        """The key of all files of one page, so that it never shows files of another run."""
        edges = {name: scale.edges.tolist() for name, scale in self.scales.items()}
        rounds = [
            [one.name, one.thresholds.teacher_sha256, one.manifest.to_json()["files"]]
            for one in (self.round_, *self.others)
        ]
        text = json.dumps([edges, rounds, self.positions, self.index.fingerprint()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def material(shards: Sequence[Path], round_: Selection, others: Sequence[Selection], index: Index) -> Material:
    """Reads what the page of ``round_`` needs before its images.

    Raises:
        InputError: the maps are not those that the round was made from or hold no measure, or a pseudo-label is missing
            or has changed.
    """
    origin = teacher_of([*shards], round_.thresholds, round_.folder.with_name("thresholds.json"))
    names = stored_measures([*shards])
    if not names:
        raise InputError(f"{shards[0]}: holds no map of a measure; add one to inference.maps and infer again")
    histograms = {name: merged_histogram(shards, name) for name in names}
    rounds = [round_, *others]
    scales = {
        name: scale_of(measure_named(name), histograms[name], thresholds_of(rounds, name, origin)) for name in names
    }
    positions = [one.positions(scales, histograms) if origin.taught(one.thresholds) else None for one in rounds]
    files = [
        checked_files(one.manifest.files, one.folder) if place == 0 or positions[place] is None else {}
        for place, one in enumerate(rounds)
    ]
    return Material(index, shards, scales, round_, others, positions, files)


def write_images(source: Material, folder: Path, *, workers: int = 1) -> tuple[list[Shown], list[NDArray[np.int64]]]:
    """Writes a script for each image; those of other images are removed. ``workers`` threads compute and compress.

    Returns the images in the order of their numbers, without their counts, and the sums of these by measure (C, L, 3).

    Raises:
        InputError: the shards do not hold exactly the images of the index, or a file is missing or has changed.
    """
    numbers = {sample.id: number for number, sample in enumerate(_ordered(source.index))}
    num_classes = len(source.index.class_set)
    sums = [np.zeros((num_classes, len(scale.edges), 3), dtype=np.int64) for scale in source.scales.values()]
    shown: list[Shown | None] = [None] * len(numbers)

    def write(entry: tuple[IndexedSample, Maps]) -> Shown:
        sample, maps = entry
        image, content = _image(source, sample, maps)
        with atomic_path(folder / script_name(numbers[sample.id])) as part:
            arguments = (numbers[sample.id], source.key, content)
            text = ",".join(json.dumps(argument, separators=(",", ":")) for argument in arguments)
            part.write_text(f"showImage({text})\n", encoding="ascii")
        return image

    for image in prefetch(write, _maps(source), workers):
        for total, counts in zip(sums, image.counts, strict=True):
            total += counts
        shown[numbers[image.id]] = image._replace(counts=[])
    images = [image for image in shown if image is not None]
    if len(images) < len(shown):
        raise InputError(f"{source.shards[0].parent}: no maps of some samples; infer again")
    for stale in set(folder.glob("[0-9]*.js")) - {folder / script_name(number) for number in numbers.values()}:
        stale.unlink()
    return images, sums


def script_name(number: int) -> str:
    """The file of an image in the folder of the page, by its number: ids may hold any letter."""
    return f"{number:05d}.js"


def _ordered(index: Index) -> list[IndexedSample]:
    return sorted(index.samples, key=lambda sample: sample.id)


def _maps(source: Material) -> Iterator[tuple[IndexedSample, Maps]]:
    samples = {sample.id: sample for sample in source.index.samples}
    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for path in source.shards:
            with open_shard(path) as shard:
                for row, id_ in enumerate(shard.ids):
                    if id_ not in samples or id_ not in source.files[0]:
                        raise InputError(f"{path}: holds {id_!r}, which the index or the round lacks; infer again")
                    yield samples[id_], shard.maps(row, ("label", *source.scales))
                    bar.update()


def _image(source: Material, sample: IndexedSample, maps: Maps) -> tuple[Shown, dict[str, Any]]:
    """One image: what the page lists of it, and the content of its script."""
    prediction: Labels = maps["label"]
    size_wh = (prediction.shape[1], prediction.shape[0])
    to_wh = shown_wh(size_wh)
    truth = None if sample.label is None else source.index.read_label(sample, size_wh)
    verdict = verdicts(prediction, truth)
    num_classes = len(source.index.class_set)
    counts = [counted(prediction, verdict, maps[name], scale, num_classes) for name, scale in source.scales.items()]
    labels = {place: _pseudo_label(source, place, sample.id, size_wh) for place in {0, *source.drawn}}
    _check_own(source, sample, maps, labels[0])
    held = np.flatnonzero(counts[0].sum(axis=(1, 2))).tolist()
    planes = [prediction, np.full_like(prediction, IGNORE) if truth is None else truth]
    planes += [labels[place] for place in source.drawn]
    own = _kept(prediction, labels[0], truth, num_classes)
    kept, right, labelled = own.sum(axis=0).tolist()
    content = {
        "size": [*to_wh],
        "photo": photograph(source.index.read_image(sample, to_wh)),
        "levels": packed([sampled(scale.level_of_code[maps[name]], to_wh) for name, scale in source.scales.items()]),
        "labels": packed([sampled(plane, to_wh) for plane in planes]),
        "classes": held,
        "counts": squeezed(counts, held),
        **({"own": own.tolist()} if source.positions[0] is None else {}),
    }
    present = _present(prediction, truth, num_classes)
    accuracy = right / labelled if labelled else None
    return Shown(sample.id, kept / prediction.size, accuracy, present, own, counts), content


def _pseudo_label(source: Material, place: int, id_: str, size_wh: tuple[int, int]) -> Labels:
    if id_ not in source.files[place]:
        name = [source.round_, *source.others][place].name
        raise InputError(f"{name}: no pseudo-label of {id_!r}; run the workflow again")
    return read_label(source.files[place][id_], train_id_table(source.index.class_set), size_wh)


def _check_own(source: Material, sample: IndexedSample, maps: Maps, label: Labels) -> None:
    """Checks that a slider at the round's positions shows the pseudo-labels of the round."""
    if source.positions[0] is None or source.round_.measure is None:
        return
    sure = source.scales[source.round_.measure].measure.sure
    if not np.array_equal(cut(maps["label"], maps[source.round_.measure], source.round_.values, sure), label):
        raise InputError(f"{source.files[0][sample.id].path}: not what the thresholds keep; run the workflow again")


def _kept(prediction: Labels, label: Labels, truth: Labels | None, num_classes: int) -> NDArray[np.int64]:
    """Pixels predicted as each class: with a pseudo-label, rightly predicted, with a true label; (C, 3)."""
    kept = label != IGNORE
    known = np.zeros_like(kept) if truth is None else kept & (truth != IGNORE)
    right = np.zeros_like(kept) if truth is None else known & (truth == label)
    return np.stack([np.bincount(prediction[row], minlength=num_classes) for row in (kept, right, known)], axis=1)


def _present(prediction: Labels, truth: Labels | None, num_classes: int) -> list[int]:
    enough = max(1.0, PRESENT * prediction.size)
    planes = [prediction] if truth is None else [prediction, truth]
    pixels = np.max([np.bincount(plane.ravel(), minlength=256)[:num_classes] for plane in planes], axis=0)
    return np.flatnonzero(pixels >= enough).tolist()
