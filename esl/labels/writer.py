"""The loop over maps: from the shards of a teacher to pseudo-label PNGs and the content of their manifest."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esl.classes import IGNORE
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.measures.base import Maps
from esl.labels.measures.registry import measure_named
from esl.labels.methods.base import Method
from esl.labels.png import png_path, remove_others, write_png
from esl.labels.quality import Quality
from esl.labels.shard import open_shard
from esl.prefetch import prefetch


class _Image(NamedTuple):
    """An image of the shards, and what was written for it."""

    id: str
    sha256: str
    label: NDArray[np.uint8]  # (H, W), the pseudo-label
    truth: NDArray[np.uint8] | None  # (H, W), where the target is labelled
    maps: Maps


def write_pseudo_labels(
    shards: list[Path],
    thresholds: Sequence[float | None],
    method: Method,
    index: Index,
    folder: Path,
    *,
    workers: int = 1,
) -> dict[str, Any]:
    """Writes one PNG per image of every shard and returns the manifest's ``files``, ``classes``, ``kept``, ``quality``.

    ``thresholds`` (C) are the ``Threshold.value`` of every class. Labels of the target, where they exist, are read for
    ``quality`` only: nothing that training reads depends on them. ``workers`` threads mask and compress.

    Raises:
        InputError: the shards do not hold exactly the samples of the index, or not the maps that the method reads.
    """
    class_set = index.class_set
    samples = {sample.id: sample for sample in index.samples}
    measures = stored_measures(shards) if index.labelled else []

    def write(entry: tuple[str, Maps]) -> _Image:
        id_, maps = entry
        label = method.label(maps, thresholds)
        png = png_path(folder, id_)
        write_png(png, label, class_set)
        height, width = label.shape
        truth = None if samples[id_].label is None else index.read_label(samples[id_], (width, height))
        return _Image(id_, sha256_of_file(png), label, truth, maps)

    quality = Quality(len(class_set), [measure_named(name) for name in measures])
    kept_pixels = np.zeros(256, dtype=np.int64)
    files: dict[str, dict[str, Any]] = {}
    for image in prefetch(write, _images(shards, samples, method.maps, measures), workers):
        pixels = np.bincount(image.label.ravel(), minlength=256)
        kept_pixels += pixels
        kept = (image.label.size - int(pixels[IGNORE])) / image.label.size
        files[image.id] = {"sha256": image.sha256, "kept": kept}
        if image.truth is not None:
            quality.add(image.truth, image.label, image.maps)
    if missing := samples.keys() - files.keys():
        raise InputError(f"{shards[0].parent}: no maps of {len(missing)} samples such as {min(missing)!r}; infer again")
    remove_others(folder, [png_path(folder, id_) for id_ in files])
    classes = {name: int(pixels) for name, pixels in zip(class_set.classes, kept_pixels, strict=False)}
    return {
        "images": len(files),
        "kept": sum(classes.values()) / int(kept_pixels.sum()),
        "kept_pixels": classes,
        "quality": quality.summary(class_set) if quality.images else None,
        "files": dict(sorted(files.items())),
    }


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
    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for path in shards:
            with open_shard(path) as shard:
                for row, id_ in enumerate(shard.ids):
                    if id_ not in samples or id_ in ids:
                        reason = "which another shard holds too" if id_ in ids else "which the index does not"
                        raise InputError(f"{path}: holds {id_!r}, {reason}; delete the folder and infer again")
                    ids.add(id_)
                    yield id_, shard.maps(row, {*maps, *(measures if samples[id_].label else ())})
                    bar.update()
