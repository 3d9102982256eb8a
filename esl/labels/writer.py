"""The loop over maps: from the shards of a teacher to pseudo-label PNGs and their manifest."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esl.classes import IGNORE
from esl.data.images import CheckedFile, read_label
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.manifest import PseudoLabelFile, PseudoLabels, read_labelled_shard
from esl.labels.measures.base import Maps
from esl.labels.measures.build import measure_named
from esl.labels.methods.base import Method
from esl.labels.png import png_path, remove_others, train_id_table, write_png
from esl.labels.quality import Quality
from esl.labels.shard import open_shard
from esl.prefetch import prefetch


class Written(NamedTuple):
    """PNGs of pseudo-labels, and the pixels that they hold."""

    files: dict[str, PseudoLabelFile]  # by the sample's id
    pixels: NDArray[np.int64]  # (256,) by trainId; those of ``IGNORE`` have no pseudo-label


@dataclass(frozen=True)
class Labelling:
    """The pseudo-labels of one round: the maps and thresholds they come from, and the folder of their PNGs."""

    shards: list[Path]
    thresholds: Sequence[float | None]  # (C), the ``Threshold.value`` of every class
    method: Method
    index: Index
    folder: Path

    @cached_property
    def samples(self) -> dict[str, IndexedSample]:
        """The samples of the index by id."""
        return {sample.id: sample for sample in self.index.samples}


def write_pseudo_labels(
    labelling: Labelling, teacher_sha256: str, *, workers: int = 1, written: Written | None = None
) -> PseudoLabels:
    """Writes one PNG per image of every shard and returns the manifest.

    Labels of the target, where they exist, are read for ``quality`` only: nothing that training reads depends on them.
    ``workers`` threads mask and compress. With ``written``, jobs of single shards have written the PNGs: they are only
    read again where labels exist.

    Raises:
        InputError: the shards do not hold exactly the samples of the index, or not the maps that the method reads.
    """
    shards, index, folder = labelling.shards, labelling.index, labelling.folder
    measures = stored_measures(shards) if index.labelled else []
    quality = Quality(len(index.class_set), [measure_named(name) for name in measures])
    by_others = written is not None
    if written is None:
        written = write_pngs(labelling, workers=workers, quality=quality)
    if missing := labelling.samples.keys() - written.files.keys():
        raise InputError(f"{shards[0].parent}: no maps of {len(missing)} samples such as {min(missing)!r}; infer again")
    if by_others and index.labelled:
        _judge(labelling, written, quality, workers)
    if strange := written.files.keys() - labelling.samples.keys():
        raise InputError(f"{folder}: {min(strange)!r} is not in the index; delete {folder.with_name('labelled')}")
    remove_others(folder, [png_path(folder, id_) for id_ in written.files])
    kept = {name: int(pixels) for name, pixels in zip(index.class_set.classes, written.pixels, strict=False)}
    return PseudoLabels(
        method=labelling.method.name,
        teacher_sha256=teacher_sha256,
        images=len(written.files),
        kept=sum(kept.values()) / int(written.pixels.sum()),
        kept_pixels=kept,
        quality=quality.summary(index.class_set) if quality.images else None,
        files=dict(sorted(written.files.items())),
    )


def write_pngs(labelling: Labelling, *, workers: int, quality: Quality | None = None) -> Written:
    """Writes one PNG per image of the shards, which may be some of many; labelled images are added to ``quality``."""
    samples, index, method = labelling.samples, labelling.index, labelling.method
    measures = [] if quality is None else [measure.name for measure in quality.measures]

    def write(image: tuple[str, Maps]) -> tuple[str, str, NDArray[np.uint8], NDArray[np.uint8] | None, Maps]:
        """Id of an image, digest of its PNG, pseudo-label, truth where it counts, and maps."""
        id_, maps = image
        label = method.label(maps, labelling.thresholds)
        png = png_path(labelling.folder, id_)
        write_png(png, label, index.class_set)
        labelled = quality is not None and samples[id_].label is not None
        height, width = label.shape
        truth = index.read_label(samples[id_], (width, height)) if labelled else None
        return id_, sha256_of_file(png), label, truth, maps

    written = Written({}, np.zeros(256, dtype=np.int64))
    for id_, sha256, label, truth, maps in prefetch(write, _images(labelling, method.maps, measures), workers):
        pixels = np.bincount(label.ravel(), minlength=256)
        written.pixels[:] += pixels
        kept = (label.size - int(pixels[IGNORE])) / label.size
        written.files[id_] = PseudoLabelFile(sha256=sha256, kept=kept)
        if quality is not None and truth is not None:
            quality.add(truth, label, maps)
    return written


def joined(parts: Sequence[Path], teacher_sha256: str, thresholds_sha256: str) -> Written:
    """The PNGs of jobs of single shards together, from the files that ``label_shard`` left.

    Raises:
        InputError: a file is missing or damaged, was made with another teacher or thresholds, or two hold one image.
    """
    written = Written({}, np.zeros(256, dtype=np.int64))
    for path in parts:
        part = read_labelled_shard(path)
        if (part.teacher_sha256, part.thresholds_sha256) != (teacher_sha256, thresholds_sha256):
            raise InputError(f"{path}: made with another teacher or thresholds; delete it and run the workflow again")
        if twice := written.files.keys() & part.files.keys():
            raise InputError(f"{path}: holds {min(twice)!r}, which another shard holds too; delete {path.parent}")
        written.files.update(part.files)
        written.pixels[:] += np.array(part.pixels, dtype=np.int64)
    return written


def _judge(labelling: Labelling, written: Written, quality: Quality, workers: int) -> None:
    """Adds every labelled image to ``quality``; its pseudo-label is read from its PNG."""
    samples, index, folder = labelling.samples, labelling.index, labelling.folder
    table = train_id_table(index.class_set)

    def read(image: tuple[str, Maps]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Maps] | None:
        """Truth, pseudo-label and maps of an image; ``None`` where it has no label."""
        id_, maps = image
        if samples[id_].label is None:
            return None
        png = png_path(folder, id_)
        try:
            label = read_label(CheckedFile(png, written.files[id_].sha256), table)
        except InputError:
            again = folder.with_name("labelled")
            raise InputError(
                f"{png}: missing or changed; to write it again delete {again} and run the workflow"
            ) from None
        height, width = label.shape
        return index.read_label(samples[id_], (width, height)), label, maps

    measures = [measure.name for measure in quality.measures]
    for image in prefetch(read, _images(labelling, ["label"], measures), workers):
        if image is not None:
            quality.add(*image)


def stored_measures(shards: list[Path]) -> list[str]:
    """The measures of which every shard stores a map."""
    stored: list[set[str]] = []
    for path in shards:
        with open_shard(path) as shard:
            stored.append({measure for measure in shard.counted if shard.holds(measure)})
    return sorted(set.intersection(*stored))


def _images(labelling: Labelling, maps: Sequence[str], measures: Sequence[str]) -> Iterator[tuple[str, Maps]]:
    """Every image of the shards with ``maps``, which the method reads; labelled ones with those of ``measures`` too."""
    shards, samples = labelling.shards, labelling.samples
    ids = set()
    with tqdm(total=len(samples) if len(shards) > 1 else None, unit="image", mininterval=5) as bar:
        for path in shards:
            with open_shard(path) as shard:
                bar.total = bar.total or len(shard.ids)
                for row, id_ in enumerate(shard.ids):
                    if id_ not in samples or id_ in ids:
                        reason = "which another shard holds too" if id_ in ids else "which the index does not"
                        raise InputError(f"{path}: holds {id_!r}, {reason}; delete the folder and infer again")
                    ids.add(id_)
                    yield id_, shard.maps(row, {*maps, *(measures if samples[id_].label else ())})
                    bar.update()
