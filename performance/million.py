"""A million target images in a thousand shards: planning, indexing, choosing thresholds; time and memory of each.

The images are hard links to a few small ones, so that this fits a laptop: about 1 GB of disk, most of it for names.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent

LINKS = 30_000
"""Hard links to one file; some file systems allow 32,000."""

READ = "import sys; from pathlib import Path; from esl.{module} import {name}; {name}(Path(sys.argv[1]))"


def _config(shards: int) -> dict[str, Any]:
    methods = {"esl": {"rounds": 1}, "control": None}
    target = {"dataset": "folder", "root": "photos"}
    return {"benchmarks": {"gta2city": {"target": target, "inference": {"shards": shards}, "methods": methods}}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--images", type=int, default=1_000_000)
    parser.add_argument("--shards", type=int, default=1_000)
    flags = parser.parse_args()
    print("| step | seconds | peak MB |\n|---|---:|---:|")
    with tempfile.TemporaryDirectory() as name:
        for step, (seconds, peak) in _measure(Path(name), flags.images, flags.shards):
            print(f"| {step} | {seconds:.1f} | {peak:.0f} |", flush=True)


def _measure(folder: Path, images: int, shards: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """Each step, with its seconds and its peak memory in MB."""
    python = [sys.executable, "-m"]
    _run([*python, "performance.million_inputs", str(folder), str(images), str(shards), str(LINKS)], PROJECT)
    (folder / "config.json").write_text(json.dumps(_config(shards)))
    plan = [*python, "snakemake", "--snakefile", str(PROJECT / "workflow/Snakefile"), "--directory", str(folder)]
    plan += ["--cores", "2", "--dry-run", "--quiet", "all", "--configfile", "config.json", "--"]
    yield "planning, before anything ran", _run([*plan, "results/gta2city/miou.json"], folder)
    index = folder / "results/gta2city/data/target_train.json"
    make = [word for word in plan if word not in ("--dry-run", "-n")]
    yield "the index", _run([*make, str(index.relative_to(folder))], folder)
    yield "planning, with the index", _run([*plan, "results/gta2city/miou.json"], folder)
    read = READ.format(module="data.index", name="read_index")
    yield "reading the index", _run([sys.executable, "-c", read, str(index)], PROJECT)
    maps = [str(folder / f"maps/{number}-of-{shards}.h5") for number in range(1, shards + 1)]
    settings = json.dumps({"method": "esl"})
    output = ["--output", str(folder / "thresholds.json")]
    choose = [*python, "esl.stages.threshold", "--maps", *maps, "--settings", settings, *output]
    yield f"thresholds over {shards:,} shards", _run(choose, PROJECT)
    read = READ.format(module="files", name="read_json")
    yield "reading the manifest", _run([sys.executable, "-c", read, str(folder / "pseudo_labels.json")], PROJECT)


def _run(command: list[str], folder: Path) -> tuple[float, float]:
    """Runs a command: its seconds, and its peak memory in MB."""
    start = time.perf_counter()
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # jobs begin with `python`
    environment = os.environ | {"PATH": path}
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"failed: {command[:8]}\n{said[-2000:]}")
    return time.perf_counter() - start, usage.ru_maxrss * 1024 / 1e6


if __name__ == "__main__":
    main()
