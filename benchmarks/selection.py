"""One measurement in a process of its own, so that its peak memory is its own: logits -> PNGs of one engine."""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.baseline import plain_pseudo_labels
from benchmarks.scenes import CLASSES, SIZE, scene_logits
from esl.confidence import INTERPOLATION, stride_probability
from esl.datasets.index import Index, IndexedSample
from esl.inference import Prediction, store_maps
from esl.maps import Origin, open_shard, write_shard
from esl.pseudo_labels import write_pseudo_labels
from esl.rules import RULES
from esl.selection import class_threshold

SCENES = 16
"""Different logits; longer data sets repeat them, so that making them costs no memory that would be measured."""

RULE = RULES["esl"]


def staged_pseudo_labels(logits: Iterator[Tensor], count: int, folder: Path, workers: int) -> dict[str, float]:
    """As the stages infer, threshold and pseudo_label: maps of all kinds, thresholds, PNGs; returns seconds of each."""
    ids = [f"{number:06d}" for number in range(count)]
    shard_path = folder / "1-of-1.h5"

    def predictions() -> Iterator[Prediction]:
        for id_, logits_Chw in zip(ids, logits, strict=True):
            yield id_, stride_probability(logits_Chw[None])[0], SIZE

    marks = [time.perf_counter()]
    with write_shard(shard_path, count, Origin(CLASSES.classes, "", INTERPOLATION)) as writer:
        store_maps(predictions(), writer, workers)
    marks.append(time.perf_counter())
    with open_shard(shard_path) as shard:
        thresholds = [class_threshold(counts, RULE).value for counts in shard.histogram("entropy")]
    marks.append(time.perf_counter())
    samples = [IndexedSample(id_, "", (SIZE[1], SIZE[0]), None, None, None, "", None) for id_ in ids]
    index = Index("cityscapes", "", "train", "cityscapes19", samples)
    write_pseudo_labels([shard_path], thresholds, RULE, index, folder, workers=workers)
    marks.append(time.perf_counter())
    stages = ("infer", "threshold", "pseudo_label")
    return {name: marks[n + 1] - marks[n] for n, name in enumerate(stages)}


def measure(engine: str, count: int, workers: int) -> dict[str, object]:
    """Seconds, peak memory and disk in MB, of one engine on ``count`` logits."""
    scenes = [scene_logits(number) for number in range(SCENES)]
    logits = islice(cycle(scenes), count)
    torch.set_num_threads(workers)
    stages = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        start = time.perf_counter()
        if engine == "plain":
            plain_pseudo_labels(logits, count, folder)
        else:
            stages = staged_pseudo_labels(logits, count, folder, workers)
        seconds = time.perf_counter() - start
        maps, pngs = (sum(file.stat().st_size for file in folder.glob(kind)) / 1e6 for kind in ("*.h5", "*.png"))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    return {"images": count, "seconds": seconds, "stages": stages, "peak_mb": peak, "maps_mb": maps, "png_mb": pngs}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["plain", "staged"], required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    flags = parser.parse_args()
    print(json.dumps(measure(flags.engine, flags.images, flags.workers)))
