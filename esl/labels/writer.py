"""The loop over maps: from the shards of a teacher to pseudo-label PNGs and what the manifest says of them."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from esl.classes import IGNORE
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.png import png_path, remove_others, write_png
from esl.labels.quality import Quality
from esl.labels.rules import Rule
from esl.labels.selection import pseudo_label
from esl.labels.shard import MEASURES, Maps, open_shard
from esl.prefetch import prefetch


def write_pseudo_labels(
    shards: list[Path],
    thresholds: Sequence[float | None],
    rule: Rule,
    index: Index,
    folder: Path,
    *,
    workers: int = 1,
) -> dict[str, Any]:
    """Writes one PNG per image of every shard and returns the manifest's ``files``, ``classes``, ``kept``, ``quality``.

    ``thresholds`` (C) are the ``Threshold.value`` of every class. Labels of the target, where they exist, are read for
    ``quality`` only: nothing that training sees depends on them. ``workers`` threads mask and compress.

    Raises:
        InputError: the shards do not hold exactly the samples of the index, or not the maps that the rule reads.
    """
    class_set = index.class_set
    samples = {sample.id: sample for sample in index.samples}

    def write(image: tuple[str, Maps]) -> tuple[str, str, NDArray[np.uint8], NDArray[np.uint8] | None, Maps]:
        id_, maps = image
        label = pseudo_label(maps, thresholds, rule)
        png = png_path(folder, id_)
        write_png(png, label, class_set)
        truth = None
        if samples[id_].label is not None:
            truth = index.read_label(samples[id_], (label.shape[1], label.shape[0]))
        return id_, sha256_of_file(png), label, truth, maps

    quality = Quality(len(class_set))
    kept_pixels = np.zeros(256, dtype=np.int64)
    files: dict[str, dict[str, Any]] = {}
    for id_, digest, label, truth, maps in prefetch(write, _images(shards, samples, rule), workers):
        pixels = np.bincount(label.ravel(), minlength=256)
        kept_pixels += pixels
        files[id_] = {"sha256": digest, "kept": (label.size - int(pixels[IGNORE])) / label.size}
        if truth is not None:
            quality.add(truth, label, maps)
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


def _images(shards: list[Path], samples: Mapping[str, IndexedSample], rule: Rule) -> Iterator[tuple[str, Maps]]:
    """Every image of the shards with the maps that the rule reads, and of labelled ones those that judge it."""
    seen = set()
    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for path in shards:
            with open_shard(path) as shard:
                judging = {measure for measure in MEASURES if shard.holds(measure)}
                for row, id_ in enumerate(shard.ids):
                    if id_ not in samples or id_ in seen:
                        reason = "which another shard holds too" if id_ in seen else "which the index does not"
                        raise InputError(f"{path}: holds {id_!r}, {reason}; delete the folder and infer again")
                    seen.add(id_)
                    yield id_, shard.maps(row, {*rule.maps} | (judging if samples[id_].label else set()))
                    bar.update()
