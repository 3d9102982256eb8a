"""The loop over maps: from the shards of a teacher to pseudo-label PNGs and the content of their manifest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esl.classes import IGNORE
from esl.data.images import CheckedFile, read_label
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.manifest import read_labelled_shard
from esl.labels.measures.base import Maps
from esl.labels.measures.build import measure_named
from esl.labels.methods.base import Method
from esl.labels.png import png_path, remove_others, train_id_table, write_png
from esl.labels.quality import Quality
from esl.labels.shard import open_shard
from esl.prefetch import prefetch


class Written(NamedTuple):
    """PNGs of pseudo-labels, and the pixels that they hold."""

    files: dict[str, dict[str, Any]]  # ``sha256`` and ``kept`` of each, by the sample's id
    pixels: NDArray[np.int64]  # (256,) by trainId; those of ``IGNORE`` have no pseudo-label


def write_pseudo_labels(
    shards: list[Path],
    thresholds: Sequence[float | None],
    method: Method,
    index: Index,
    folder: Path,
    *,
    workers: int = 1,
    written: Written | None = None,
) -> dict[str, Any]:
    """Writes one PNG per image of every shard and returns the manifest's ``files``, ``classes``, ``kept``, ``quality``.

    ``thresholds`` (C) are the ``Threshold.value`` of every class. Labels of the target, where they exist, are read for
    ``quality`` only: nothing that training reads depends on them. ``workers`` threads mask and compress. With
    ``written``, jobs of single shards have written the PNGs: they are only read again where labels exist.

    Raises:
        InputError: the shards do not hold exactly the samples of the index, or not the maps that the method reads.
    """
    measures = stored_measures(shards) if index.labelled else []
    quality = Quality(len(index.class_set), [measure_named(name) for name in measures])
    by_others = written is not None
    if written is None:
        written = write_pngs(shards, thresholds, method, index, folder, workers=workers, quality=quality)
    if missing := {sample.id for sample in index.samples} - written.files.keys():
        raise InputError(f"{shards[0].parent}: no maps of {len(missing)} samples such as {min(missing)!r}; infer again")
    if by_others and index.labelled:
        _judge(shards, index, folder, written, quality, workers)
    if strange := written.files.keys() - {sample.id for sample in index.samples}:
        raise InputError(f"{folder}: {min(strange)!r} is not in the index; delete {folder.with_name('labelled')}")
    remove_others(folder, [png_path(folder, id_) for id_ in written.files])
    kept = zip(index.class_set.classes, written.pixels, strict=False)
    classes = {name: int(pixels) for name, pixels in kept}
    return {
        "images": len(written.files),
        "kept": sum(classes.values()) / int(written.pixels.sum()),
        "kept_pixels": classes,
        "quality": quality.summary(index.class_set) if quality.images else None,
        "files": dict(sorted(written.files.items())),
    }


def write_pngs(
    shards: list[Path],
    thresholds: Sequence[float | None],
    method: Method,
    index: Index,
    folder: Path,
    *,
    workers: int,
    quality: Quality | None = None,
) -> Written:
    """Writes one PNG per image of the shards, which may be some of many; labelled images are added to ``quality``."""
    samples = {sample.id: sample for sample in index.samples}
    measures = [] if quality is None else [measure.name for measure in quality.measures]

    def write(image: tuple[str, Maps]) -> tuple[str, str, NDArray[np.uint8], NDArray[np.uint8] | None, Maps]:
        """Id of an image, digest of its PNG, pseudo-label, truth where it counts, and maps."""
        id_, maps = image
        label = method.label(maps, thresholds)
        png = png_path(folder, id_)
        write_png(png, label, index.class_set)
        labelled = quality is not None and samples[id_].label is not None
        height, width = label.shape
        truth = index.read_label(samples[id_], (width, height)) if labelled else None
        return id_, sha256_of_file(png), label, truth, maps

    written = Written({}, np.zeros(256, dtype=np.int64))
    for id_, sha256, label, truth, maps in prefetch(write, _images(shards, samples, method.maps, measures), workers):
        pixels = np.bincount(label.ravel(), minlength=256)
        written.pixels[:] += pixels
        written.files[id_] = {"sha256": sha256, "kept": (label.size - int(pixels[IGNORE])) / label.size}
        if quality is not None and truth is not None:
            quality.add(truth, label, maps)
    return written


def joined(parts: Sequence[Path], teacher_sha256: str, thresholds_sha256: str) -> Written:
    """What jobs of single shards have written, from the files that ``label_shard`` left.

    Raises:
        InputError: a file is missing or damaged, was made with another teacher or thresholds, or two hold one image.
    """
    written = Written({}, np.zeros(256, dtype=np.int64))
    for path in parts:
        content = read_labelled_shard(path)
        if (content["teacher_sha256"], content["thresholds_sha256"]) != (teacher_sha256, thresholds_sha256):
            raise InputError(f"{path}: made with another teacher or thresholds; delete it and run the workflow again")
        if twice := written.files.keys() & content["files"].keys():
            raise InputError(f"{path}: holds {min(twice)!r}, which another shard holds too; delete {path.parent}")
        written.files.update(content["files"])
        written.pixels[:] += np.array(content["pixels"], dtype=np.int64)
    return written


def _judge(shards: list[Path], index: Index, folder: Path, written: Written, quality: Quality, workers: int) -> None:
    """Adds every labelled image to ``quality``; its pseudo-label is read from its PNG."""
    samples = {sample.id: sample for sample in index.samples}
    table = train_id_table(index.class_set)

    def read(image: tuple[str, Maps]) -> tuple[NDArray[np.uint8], NDArray[np.uint8], Maps] | None:
        """Truth, pseudo-label and maps of an image; ``None`` where it has no label."""
        id_, maps = image
        if samples[id_].label is None:
            return None
        png = png_path(folder, id_)
        try:
            label = read_label(CheckedFile(png, written.files[id_]["sha256"]), table)
        except InputError:
            again = folder.with_name("labelled")
            raise InputError(
                f"{png}: missing or changed; to write it again delete {again} and run the workflow"
            ) from None
        height, width = label.shape
        return index.read_label(samples[id_], (width, height)), label, maps

    measures = [measure.name for measure in quality.measures]
    for image in prefetch(read, _images(shards, samples, ["label"], measures), workers):
        if image is not None:
            quality.add(*image)


def stored_measures(shards: list[Path]) -> list[str]:
    """The measures of which every shard stores a map."""
    stored: list[set[str]] = []
    for path in shards:
        with open_shard(path) as shard:
            stored.append({measure for measure in shard.counted if shard.holds(measure)})
    return sorted(set.intersection(*stored))


def _images(
    shards: list[Path], samples: Mapping[str, IndexedSample], maps: Sequence[str], measures: Sequence[str]
) -> Iterator[tuple[str, Maps]]:
    """Every image of the shards with ``maps``, which the method reads; labelled ones with those of ``measures`` too."""
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
