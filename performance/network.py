"""The paper's network: a training step and target inference as published, and as this project runs them.

    python -m performance.network        # ResNet-101 at 1024 x 512 on a GPU; without one, a small part of it on the CPU

Published: float32, one source and one target image per iteration, read and decoded in turn in the training's own
process, the loss read back every iteration (ADVENT's public code); inference image by image, every map of all
classes upsampled and copied to the host. Ours: the loops of the stages.
"""

import argparse
import json
import math
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch.utils.flop_counter import FlopCounterMode

from esl.data.index import Index
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream
from esl.labels.confidence import INTERPOLATION
from esl.labels.inference import write_maps
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.labels.shard import Origin, write_shard
from esl.models.predictor import Predictor
from esl.models.settings import ComputeSettings
from esl.settings import size_wh
from esl.stages.device import resolved_precision
from esl.stages.fabric import make_fabric
from esl.training.feed import Streams
from esl.training.loop import train
from esl.training.resume import Saving
from esl.training.settings import OptimizationSettings, ScheduleSettings, TargetSettings, TrainSettings
from performance.case import CLASSES, NUM_IMAGES, WARM, Case, Clock
from performance.published import published_maps, published_steps

FULL_BLOCKS, SMALL_BLOCKS = (3, 4, 23, 3), (1, 1, 2, 1)
FULL_SIZE_WH, SMALL_SIZE_WH = (1024, 512), (256, 128)

WORKS = (
    "training, published",
    "training, this project",
    "training, compiled",
    "training, activations twice",
    "inference, published",
    "inference, this project",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    gpu = torch.cuda.is_available()
    parser.add_argument("--blocks", type=int, nargs=4, default=FULL_BLOCKS if gpu else SMALL_BLOCKS)
    parser.add_argument("--size", type=size_wh, default=FULL_SIZE_WH if gpu else SMALL_SIZE_WH, help="WIDTHxHEIGHT")
    parser.add_argument("--iterations", type=int, default=40 if gpu else 12, help="of training; twice as many maps")
    parser.add_argument("--batch", type=int, default=4, help="images at a time of our inference on a GPU")
    parser.add_argument("--workers", type=int, default=4 if gpu else 1)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--only", choices=WORKS, help="measure only this, in this process, and print it as JSON")
    flags = parser.parse_args()
    blocks = (flags.blocks[0], flags.blocks[1], flags.blocks[2], flags.blocks[3])
    case = Case(blocks, flags.size, flags.iterations, flags.batch, flags.workers, flags.threads)
    if flags.only:
        print(json.dumps(_measured(flags.only, case)))
        return
    rows = {}
    for work in WORKS:  # each in a process of its own, whose peak memory is its own
        command = [sys.executable, "-m", "performance.network", *sys.argv[1:], "--only", work]
        rows[work] = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    print(_report(rows, case))


def _report(rows: dict[str, dict[str, Any]], case: Case) -> str:
    """The measurements of all ``WORKS`` as a Markdown table."""
    width, height = case.size_wh
    lines = [
        f"{next(iter(rows.values()))['device']}, {case.threads} threads; images of {width}x{height}, "
        f"blocks {case.blocks}",
        f"training: 1 source and 1 target image; inference: 1, ours {case.batch} on a GPU",
        "share: of the TFLOP/s of a large matrix product in the same precision on the same device",
        "",
        "| what | precision | images/s | peak MB | TFLOP/s | share | ratio |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for work, row in rows.items():
        peak = max(other["matrix_tflops"] for other in rows.values() if other["precision"] == row["precision"])
        published = rows[f"{work.partition(',')[0]}, published"]
        cells = (
            row["precision"],
            f"{row['rate']:.2f}",
            f"{row['peak_mb']:.0f}",
            f"{row['tflops']:.3f}",
            f"{row['tflops'] / peak:.0%}",
            f"{row['rate'] / published['rate']:.1f}",
        )
        lines.append(f"| {work} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _measured(work: str, case: Case) -> dict[str, Any]:
    """One of ``WORKS``: images per second, peak memory, and floating-point operations per second."""
    compute = ComputeSettings(precision="32-true" if work.endswith("published") else "auto")
    fabric = make_fabric(compute, threads=case.threads)
    clock = Clock(fabric.device)
    with tempfile.TemporaryDirectory() as name:
        index = case.index(Path(name))
        calls: dict[str, Callable[[], None]] = {
            "training, published": partial(published_steps, index, case, clock),
            "training, this project": partial(_our_steps, index, case, clock, fabric),
            "training, compiled": partial(_our_steps, index, case, clock, fabric, compiled=True),
            "training, activations twice": partial(_our_steps, index, case, clock, fabric, twice=True),
            "inference, published": partial(published_maps, index, case, clock),
            "inference, this project": partial(_our_maps, index, case, clock, fabric),
        }
        calls[work]()
        seconds, peak = clock.stop()
        reference = published_steps if work.startswith("training") else published_maps
        with FlopCounterMode(display=False) as counter:  # the same whoever does it
            reference(index, replace(case, iterations=1 - WARM), Clock(fabric.device))
    rate = 2 * case.iterations / seconds
    precision = resolved_precision(compute)
    return {
        "device": torch.cuda.get_device_name() if fabric.device.type == "cuda" else _processor(),
        "precision": precision,
        "rate": rate,
        "peak_mb": peak,
        "tflops": rate * counter.get_total_flops() / 2 / 1e12,  # an iteration is two images
        "matrix_tflops": _matrix_tflops(fabric.device, precision, case.threads),
    }


def _matrix_tflops(device: torch.device, precision: str, threads: int) -> float:
    """The speed of a product of large square matrices, in 10^12 operations per second: the best of ten."""
    torch.set_num_threads(threads)  # inference on a CPU has one for each image
    dtype = torch.bfloat16 if precision.startswith("bf16") else torch.float32
    length, best = 8192 if device.type == "cuda" else 2048, math.inf
    matrix = torch.rand(length, length, device=device, dtype=dtype)
    for _ in range(10):
        start = time.perf_counter()
        product = matrix @ matrix
        product[0, 0].item()  # waits for the device
        best = min(best, time.perf_counter() - start)
    return 2 * length**3 / best / 1e12


def _processor() -> str:
    return f"{torch.cpu.get_capabilities()['cpu_name']} ({platform.machine()})"


def _our_steps(
    index: Index, case: Case, clock: Clock, fabric: Fabric, *, compiled: bool = False, twice: bool = False
) -> None:
    """The same iterations by the loop of the train stage."""
    settings = TrainSettings(
        seed=0,
        network="deeplabv2_resnet101",
        source_size="own",
        augmentation=AugmentationSettings(crop="whole", flip=0.0, min_scale=1.0, colour=0.0, blur=0.0),
        optimization=OptimizationSettings(optimizer="sgd", weight_decay=5e-4, log_every=1000),
        schedule=ScheduleSettings(
            iterations=WARM + case.iterations, learning_rate=2.5e-4, schedule=250_000, source_batch=1
        ),
        target=TargetSettings(target_size="own", target_batch=1, batch_norm="shared", term="advent"),
        compile=compiled,
    )
    files = [(index.image(sample), index.label(sample)) for sample in index.samples]
    source = Stream(Pairs(files, index.table, None), settings.augmentation, (0, 0))
    unlabelled = [(image, None) for image, _ in files]
    target = Stream(Pairs(unlabelled, index.table, None), settings.augmentation, (0, 1))
    with tempfile.TemporaryDirectory() as folder:
        saving = Saving(Path(folder) / "last.pt", 10**9, {}, 1, lambda done, _: clock.start() if done == WARM else None)
        train(
            case.network(), Streams(source, target), settings,
            fabric=fabric, workers=case.workers, saving=saving, activation_checkpointing=twice,
        )  # fmt: skip


def _our_maps(index: Index, case: Case, clock: Clock, fabric: Fabric) -> None:
    """The same maps by the loop of the infer stage."""
    predictor = Predictor(case.network(), fabric)
    with tempfile.TemporaryDirectory() as folder:
        for name, number in (("warm", WARM), ("timed", case.iterations)):
            clock.start()
            samples = [index.samples[position % NUM_IMAGES] for position in range(2 * number)]
            origin = Origin(CLASSES.classes, "", INTERPOLATION)
            predictions = predictor.predictions(index, samples, to=None, batch=case.batch, workers=case.threads)
            path, stored = Path(folder) / f"{name}.h5", (*MEASURES, "probability")
            with write_shard(path, len(samples), origin, stored=stored, counted=MEASURES) as writer:
                write_maps(predictions, [measure_named(key) for key in MEASURES], writer, workers=case.threads)


if __name__ == "__main__":
    main()
