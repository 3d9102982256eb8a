"""The cost of storing an image's maps, by map and by filter: megabytes, milliseconds to write and to read."""

import tempfile
import time
from pathlib import Path
from typing import Any

import h5py
from numpy.typing import NDArray

from esl.labels import hdf5_chunks as chunks
from esl.labels.confidence import confidence_maps
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.models.predictor import stride_probability
from performance.scenes import SIZE_HW, scene_logits

Maps = dict[str, NDArray[Any]]

FILTERS: dict[str, dict[str, Any]] = {
    "none": {},
    "lzf, shuffle": {"compression": "lzf", "shuffle": True},
    "gzip 1": {"compression": "gzip", "compression_opts": 1},
    "gzip 1, shuffle": {"compression": "gzip", "compression_opts": 1, "shuffle": True},
    "gzip 4, shuffle": {"compression": "gzip", "compression_opts": 4, "shuffle": True},
    "gzip 9, shuffle": {"compression": "gzip", "compression_opts": 9, "shuffle": True},
}
"""Filters that every HDF5 build reads; fletcher32 is on in all of them."""

CHOSEN = "gzip 1, shuffle, by ISA-L"

CHUNK_ROWS = {"whole image": SIZE_HW[0], "128 rows": 128, "32 rows": 32}


def scene_maps(count: int) -> list[Maps]:
    """The maps that a shard stores, of each of the first ``count`` scenes."""
    stored = []
    for number in range(count):
        probability = stride_probability(scene_logits(number)[None])[0]
        maps = confidence_maps(probability, SIZE_HW, [measure_named(name) for name in MEASURES])
        stored.append({**maps, "probability": probability.half().numpy()})
    return stored


def measure_storage(images: int = 8) -> dict[str, Any]:
    """Per filter and map, and for the chosen filter per chunk height: MB, write_ms and read_ms per image."""
    scenes = scene_maps(images)
    return {
        "filters": {
            name: {map_: _store([maps[map_] for maps in scenes], filter_, rows=None) for map_ in scenes[0]}
            for name, filter_ in FILTERS.items()
        }
        | {CHOSEN: {map_: _store_chunks([maps[map_] for maps in scenes]) for map_ in scenes[0]}},
        "chunks of entropy": {
            name: _store([maps["entropy"] for maps in scenes], FILTERS["gzip 1, shuffle"], rows)
            for name, rows in CHUNK_ROWS.items()
        },
    }


def _store_chunks(images: list[NDArray[Any]]) -> dict[str, float]:
    """As ``_store``, compressed outside of HDF5."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.h5"
        start = time.perf_counter()
        with h5py.File(path, "w") as file:
            dataset = chunks.create_dataset(file, "x", (len(images), *images[0].shape), images[0].dtype)
            for number, image in enumerate(images):
                chunks.write(dataset, number, chunks.compressed(image))
        return _measured(path, len(images), start)


def _measured(path: Path, images: int, start: float) -> dict[str, float]:
    """MB per image of a file just written since ``start``, ms per image of that, and of reading it with plain h5py."""
    write_end = time.perf_counter()
    with h5py.File(path) as file:
        for number in range(images):
            file["x"][number]
    read_end = time.perf_counter()
    per_image = 1000 / images
    times = {"write_ms": (write_end - start) * per_image, "read_ms": (read_end - write_end) * per_image}
    return {"mb": path.stat().st_size / 1e6 / images, **times}


def _store(images: list[NDArray[Any]], filter_: dict[str, Any], rows: int | None) -> dict[str, float]:
    """One dataset, image by image, written and read back; ``rows`` of a chunk, ``None``: a chunk is an image."""
    shape = images[0].shape
    chunk = shape if rows is None else (rows, *shape[1:])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "maps.h5"
        start = time.perf_counter()
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset(
                "x", (len(images), *shape), images[0].dtype, chunks=(1, *chunk), fletcher32=True, **filter_
            )
            for number, image in enumerate(images):
                dataset[number] = image
        return _measured(path, len(images), start)


def storage_table(measured: dict[str, Any]) -> str:
    """The measurements as a Markdown table: MB (write ms, read ms) per image."""
    maps = [*measured["filters"][CHOSEN]]
    lines = ["| filter | " + " | ".join(maps) + " | together |", "|---|" + "---:|" * (len(maps) + 1)]
    for name, by_map in measured["filters"].items():
        together = {key: sum(cell[key] for cell in by_map.values()) for key in ("mb", "write_ms", "read_ms")}
        cells = " | ".join(_cell(cell) for cell in (*by_map.values(), together))
        lines.append(f"| {f'**{name}**' if name == CHOSEN else name} | {cells} |")
    by_chunk = "; ".join(f"{name} {_cell(cell)}" for name, cell in measured["chunks of entropy"].items())
    return "\n".join(lines) + f"\n\nentropy, gzip 1, shuffle, by chunk: {by_chunk}\n"


def _cell(cell: dict[str, float]) -> str:
    return f"{cell['mb']:.3f} ({cell['write_ms']:.1f}, {cell['read_ms']:.1f})"
