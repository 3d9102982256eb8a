"""Many small images through infer, threshold and pseudo_label, as the workflow runs them: time and memory of each.

This process itself stays small, without PyTorch: Linux counts the memory of whoever starts a process as that process's.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


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
    """Seconds and peak MB (of the largest process) of each stage."""
    subprocess.run([sys.executable, "-m", "performance.many_inputs", str(folder), str(images)], check=True)
    maps = [folder / f"{number}-of-{shards}.h5" for number in range(1, shards + 1)]
    infer = [
        f"infer --checkpoint {folder}/model.pt --index {folder}/index.json --shard {path.stem}"
        f" --settings {_json(size='own', compute={'accelerator': 'cpu', 'precision': '32-true'})}"
        f" --threads 1 --output {path}"
        for path in maps
    ]
    every = " ".join(map(str, maps))
    return [
        _run(infer),
        _run([f"threshold --maps {every} --settings {_json(method='esl')} --output {folder}/thresholds.json"]),
        _run(
            [
                f"pseudo_label --maps {every} --thresholds {folder}/thresholds.json --index {folder}/index.json"
                f" --threads 2 --output {folder}/pseudo_labels.json"
            ]
        ),
    ]


def _json(**settings: Any) -> str:
    """Settings of a stage as JSON without blanks."""
    return json.dumps(settings, separators=(",", ":"))


def _run(stages: list[str]) -> tuple[float, float]:
    """Runs stages in parallel: seconds until the last ends, and the largest peak memory among them in MB."""
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
