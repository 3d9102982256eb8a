"""Many small pictures through infer, threshold and pseudo_label, as the workflow runs them: time and memory of each."""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.registry import format_named
from esl.data.inspection import Checks, inspect
from esl.files import write_json
from esl.models.checkpoint import Description, save_checkpoint
from esl.models.registry import build_network

SIZE = (64, 32)
"""(width, height) of a picture."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, nargs="+", default=[5_000, 10_000, 20_000])
    parser.add_argument("--shards", type=int, default=2)
    flags = parser.parse_args()
    print("| images | infer s | MB | threshold s | MB | pseudo_label s | MB |")
    print("|---:|---:|---:|---:|---:|---:|---:|")
    for images in flags.images:
        with tempfile.TemporaryDirectory() as name:
            cells = [f"{seconds:.1f} | {peak:.0f}" for seconds, peak in _measure(Path(name), images, flags.shards)]
        print(f"| {images:,} | {' | '.join(cells)} |", flush=True)


def _measure(folder: Path, images: int, shards: int) -> list[tuple[float, float]]:
    """Seconds and peak MB (of the hungriest process) of each stage."""
    rng = np.random.default_rng(0)
    pictures = folder / "root/leftImg8bit/train/town"
    pictures.mkdir(parents=True)
    for number in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (4, 8, 3), dtype=np.uint8))
        coarse.resize(SIZE).save(pictures / f"town_{number:06d}_000019_leftImg8bit.png")
    checks = Checks("optional")
    index = inspect(
        "cityscapes", format_named("cityscapes"), folder / "root", "train", CLASS_SETS["cityscapes19"], checks, workers=2
    ).checked()
    write_json(folder / "index.json", index.to_json())
    torch.manual_seed(0)
    save_checkpoint(
        folder / "model.pt",
        build_network("small", 19),
        Description.of("small", CLASS_SETS["cityscapes19"], {}, {}),
    )
    maps = [folder / f"{number}-of-{shards}.h5" for number in range(1, shards + 1)]
    infer = [
        f"infer --checkpoint {folder}/model.pt --index {folder}/index.json --shard {path.stem} --size own"
        f" --batch-size 8 --accelerator cpu --precision 32-true --threads 1 --output {path}"
        for path in maps
    ]
    every = " ".join(map(str, maps))
    return [
        _run(infer),
        _run([f"threshold --maps {every} --rule esl --output {folder}/thresholds.json"]),
        _run(
            [
                f"pseudo_label --maps {every} --thresholds {folder}/thresholds.json --index {folder}/index.json"
                f" --threads 2 --output {folder}/pseudo_labels.json"
            ]
        ),
    ]


def _run(stages: list[str]) -> tuple[float, float]:
    """Runs stages side by side: seconds until the last ends, and the largest peak memory among them in MB."""
    start = time.perf_counter()
    commands = [[sys.executable, "-m", *f"esl.stages.{stage}".split()] for stage in stages]
    running = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for command in commands]
    peak = 0.0
    for process in running:
        _, status, usage = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"failed: {process.args!r}")
        peak = max(peak, usage.ru_maxrss * 1024 / 1e6)
    return time.perf_counter() - start, peak


if __name__ == "__main__":
    main()
