"""One measurement of one engine, logits -> PNGs, in processes of its own: their peak memory is its own."""

import argparse
import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import cycle, islice
from multiprocessing import get_context
from pathlib import Path
from threading import Barrier

import numpy as np
import torch
from torch import Tensor

from esl.data.index import Index, IndexedSample
from esl.labels.confidence import INTERPOLATION, confidence_maps
from esl.labels.fixed_point import CODES
from esl.labels.inference import write_maps
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.build import build_method
from esl.labels.png import write_png
from esl.labels.shard import Origin, open_shard, write_shard
from esl.labels.writer import Labelling, write_pseudo_labels
from esl.models.predictor import Prediction, stride_probability
from examples.esl_in_40_lines import pseudo_labels
from performance.scenes import CLASSES, SIZE_HW, scene_logits

SCENES = 16
"""Different logits; larger datasets repeat them, so that they add nothing to the memory that is measured."""

METHOD = build_method("esl")

TEACHER = "0" * 64
"""The digest of a checkpoint that does not exist: scenes take its place."""

EVERY_MEASURE = [measure_named(name) for name in MEASURES]


def _infer(shard: int, shards: int, ids: list[str], folder: Path) -> float:
    """One shard in a process of its own, as the workflow infers; returns its peak memory in MB."""
    scenes = _scenes()
    chosen = ids[shard::shards]

    def predictions() -> Iterator[Prediction]:
        for id_ in chosen:
            yield Prediction(_sample(id_), SIZE_HW, stride_probability(scenes[int(id_) % SCENES][None])[0])

    origin, stored = Origin(CLASSES.classes, TEACHER, INTERPOLATION), (*MEASURES, "probability")
    with write_shard(folder / f"{shard}.h5", len(chosen), origin, stored=stored, counted=MEASURES) as writer:
        write_maps(predictions(), EVERY_MEASURE, writer)
    return peak_mb()


def _sample(id_: str) -> IndexedSample:
    """A target image without a file or a label."""
    return IndexedSample(id_, "", (SIZE_HW[1], SIZE_HW[0]), None, None, None, "", None)


@cache
def _scenes() -> list[Tensor]:
    return [scene_logits(number) for number in range(SCENES)]


def _warm_up(barrier: Barrier) -> None:
    """Prepares a process before time is taken: imports, logits, one image of every map; then waits for the others."""
    torch.set_num_threads(1)
    confidence_maps(stride_probability(_scenes()[0][None])[0], SIZE_HW, EVERY_MEASURE)
    barrier.wait()


def staged_pseudo_labels(count: int, folder: Path, workers: int) -> tuple[dict[str, float], float]:
    """As the stages infer, threshold and pseudo_label: maps of all kinds in a shard for each worker, thresholds, PNGs.

    Returns seconds of each stage, and the sum of the peak memory of all processes in MB.
    """
    ids = [f"{number:06d}" for number in range(count)]
    context = get_context("spawn")
    with context.Manager() as manager, ProcessPoolExecutor(workers, mp_context=context) as pool:
        list(pool.map(_warm_up, [manager.Barrier(workers)] * workers))
        start = time.perf_counter()
        peaks = list(pool.map(_infer, range(workers), [workers] * workers, [ids] * workers, [folder] * workers))
        infer_seconds = time.perf_counter() - start
    shards = [folder / f"{number}.h5" for number in range(workers)]
    start = time.perf_counter()
    histogram = np.zeros((len(CLASSES), CODES), dtype=np.int64)
    for path in shards:
        with open_shard(path) as shard:
            histogram += shard.histogram("entropy")
    thresholds = [threshold.value for threshold in METHOD.thresholds({"entropy": histogram}, 1)]
    threshold_seconds = time.perf_counter() - start
    index = Index(
        dataset="cityscapes",
        root="",
        split="train",
        class_set=CLASSES,
        label_files=None,
        encoding="ids",
        labels=(),
        samples=[_sample(id_) for id_ in ids],
    )
    start = time.perf_counter()
    write_pseudo_labels(Labelling(shards, thresholds, METHOD, index, folder), TEACHER, workers=workers)
    label_seconds = time.perf_counter() - start
    seconds = {"infer": infer_seconds, "threshold": threshold_seconds, "pseudo_label": label_seconds}
    return seconds, max(sum(peaks), peak_mb())


def peak_mb() -> float:
    """Peak memory of this process until now, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure(engine: str, count: int, workers: int) -> dict[str, object]:
    """Seconds, peak memory and disk in MB, of one engine on ``count`` logits."""
    stages = None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if engine == "plain":
            logits = islice(cycle(_scenes()), count)
            torch.set_num_threads(workers)
            start = time.perf_counter()
            for number, mask in enumerate(pseudo_labels(logits, count, SIZE_HW)):
                write_png(folder / f"{number:06d}.png", mask, CLASSES)
            seconds, peak = time.perf_counter() - start, peak_mb()
        else:
            stages, peak = staged_pseudo_labels(count, folder, workers)
            seconds = sum(stages.values())
        maps, pngs = (sum(file.stat().st_size for file in folder.glob(kind)) / 1e6 for kind in ("*.h5", "*.png"))
    return {"images": count, "seconds": seconds, "stages": stages, "peak_mb": peak, "maps_mb": maps, "png_mb": pngs}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", choices=["plain", "staged"], required=True)
    parser.add_argument("--images", type=int, required=True)
    parser.add_argument("--workers", type=int, default=len(os.sched_getaffinity(0)))
    flags = parser.parse_args()
    print(json.dumps(measure(flags.engine, flags.images, flags.workers)))
