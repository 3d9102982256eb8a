"""Runs every benchmark, prints the tables, writes bench.json, bench.md and bench.png."""

import argparse
import json
import os
import platform
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch

from esl.files import atomic_path, write_json
from performance.evaluation import measure_evaluation
from performance.parts import measure_parts, measure_png_levels
from performance.storage import measure_storage, storage_table

ENGINES = {"plain": "everything in memory", "staged": "this project"}
STEADY_MB = 50
"""Peak memory is taken as constant if it varies by less than this over the numbers of images."""

PROJECTED = (2_975, 18_000, 1_000_000)  # Cityscapes train, Mapillary Vistas train, a fleet's day


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("results/bench"))
    parser.add_argument("--images", type=int, nargs="+", default=[25, 50, 100, 200])
    flags = parser.parse_args()
    runs = {engine: [_run(engine, images) for images in flags.images] for engine in ENGINES}
    results = {
        "machine": {
            "processor": torch.cpu.get_capabilities()["cpu_name"],
            "cores": len(os.sched_getaffinity(0)),
            "python": platform.python_version(),
            "versions": {name: version(name) for name in ("torch", "numpy", "h5py", "pillow")},
        },
        "runs": runs,
        "fits": {engine: _fit(rows) for engine, rows in runs.items()},
        "parts_ms": measure_parts(),
        "storage": measure_storage(),
        "png_levels": measure_png_levels(),
        "evaluation": measure_evaluation(),
    }
    table = _report(results)
    write_json(flags.output / "bench.json", results)
    with atomic_path(flags.output / "bench.md") as part:
        part.write_text(table)
    _plot(results, flags.output / "bench.png")
    print(table)
    print(f"written: {flags.output}/bench.json, bench.md, bench.png")


def _run(engine: str, images: int) -> dict[str, Any]:
    """One engine on ``images`` in a process of its own."""
    print(f"{engine}: {images} images", file=sys.stderr)
    command = [sys.executable, "-m", "performance.selection", "--engine", engine, "--images", str(images)]
    process = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(process.stdout)  # type: ignore[no-any-return]


def _projected_mb(rows: list[dict[str, Any]], fit: list[float], images: int) -> float:
    """Peak memory for ``images``: by the fitted line, or the largest measured value if that hardly varied."""
    peaks = [row["peak_mb"] for row in rows]
    return max(peaks) if max(peaks) - min(peaks) < STEADY_MB else fit[0] + fit[1] * images


def _fit(rows: list[dict[str, Any]]) -> dict[str, list[float]]:
    """[offset, growth per image] of time, memory and disk, by least squares."""
    images = [row["images"] for row in rows]
    columns = {
        "seconds": [row["seconds"] for row in rows],
        "peak_mb": [row["peak_mb"] for row in rows],
        "disk_mb": [row["maps_mb"] + row["png_mb"] for row in rows],
    }
    return {name: [float(value) for value in np.polyfit(images, values, 1)[::-1]] for name, values in columns.items()}


def _report(results: dict[str, Any]) -> str:
    """All tables in Markdown."""
    machine, runs, fits = results["machine"], results["runs"], results["fits"]
    lines = [
        f"{machine['cores']} cores of {machine['processor']}; torch {machine['versions']['torch']}, "
        f"numpy {machine['versions']['numpy']}, h5py {machine['versions']['h5py']}",
        "",
        "Logits to pseudo-label PNGs, 1024 x 512 pixels, 19 classes",
        "",
        "| images | plain: images/s | peak MB | this project: images/s | peak MB | ratio of throughput |",
        "|---:|---:|---:|---:|---:|---:|",
    ]
    for plain, ours in zip(runs["plain"], runs["staged"], strict=True):
        rates = [row["images"] / row["seconds"] for row in (plain, ours)]
        lines.append(
            f"| {plain['images']} | {rates[0]:.2f} | {plain['peak_mb']:.0f} | {rates[1]:.2f} | {ours['peak_mb']:.0f} "
            f"| {rates[1] / rates[0]:.1f} |"
        )
    lines += ["", "Projected by a straight line (memory that varies by less than 50 MB is taken as constant)", ""]
    lines += ["| images | plain: hours | memory GB | this project: hours | memory GB | disk GB |"]
    lines += ["|---:|---:|---:|---:|---:|---:|"]
    for images in PROJECTED:
        cells = [f"{images:,}"]
        for engine in ENGINES:
            at = {name: offset + growth * images for name, (offset, growth) in fits[engine].items()}
            peak = _projected_mb(runs[engine], fits[engine]["peak_mb"], images)
            cells += [f"{at['seconds'] / 3600:.2f}", f"{peak / 1000:.1f}"]
        lines.append("| " + " | ".join([*cells, f"{at['disk_mb'] / 1000:.0f}"]) + " |")
    parts = results["parts_ms"]
    busy = sum(value for name, value in parts.items() if "plain" not in name)
    slope = 1000 * fits["staged"]["seconds"][1]
    lines += ["", "Where the time goes: milliseconds for an image on one thread", "", "| step | ms |", "|---|---:|"]
    lines += [f"| {name} | {value:.1f} |" for name, value in parts.items()]
    lines += [
        "",
        f"Together (without plain PyTorch) {busy:.0f} ms; on {machine['cores']} cores the floor of these steps is "
        f"{busy / machine['cores']:.0f} ms an image, and the engine takes {slope:.0f} ms.",
        "",
        "HDF5 filters: MB (ms to write, ms to read) for an image; fletcher32 in all",
        "",
        storage_table(results["storage"]),
        "PNG levels: "
        + "; ".join(f"{k}: {v['kb']:.1f} kB, {v['ms']:.1f} ms" for k, v in results["png_levels"].items()),
        "",
        "Confusion matrix, 2048 x 1024 pixels: usual form {usual_ms:.2f} ms; this project {ours_ms:.2f} ms, ratio "
        "{ratio:.1f}; in a stream on all cores {stream_ms:.2f} ms, ratio {stream_ratio:.1f}".format(
            **results["evaluation"]
        ),
        "",
    ]
    return "\n".join(lines)


def _plot(results: dict[str, Any], path: Path) -> None:
    """Time and memory of both engines over the number of images."""
    figure, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    for axis, key, title in zip(axes, ("seconds", "peak_mb"), ("time, s", "peak memory, MB"), strict=True):
        for engine, rows in results["runs"].items():
            images = [row["images"] for row in rows]
            offset, growth = results["fits"][engine][key]
            points = axis.plot(images, [row[key] for row in rows], "o", label=ENGINES[engine])
            line = np.array([0, max(images)])
            axis.plot(line, offset + growth * line, color=points[0].get_color())
        axis.set(xlabel="images of 1024 x 512, 19 classes", title=title, ylim=(0, None))
        axis.grid(alpha=0.3)
    axes[0].legend()
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    main()
