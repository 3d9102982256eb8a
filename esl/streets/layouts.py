"""The miniature on disk: the source exactly as GTA5 or SYNTHIA is laid out, the target exactly as Cityscapes."""

import struct
import sys
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from esl.classes import CITYSCAPES_LABELS, GTA5_LABELS, SYNTHIA_LABELS
from esl.files import beside
from esl.streets.render import render_street

CITIES = {"train": ("ahrenfurt", "lindenau", "moosbach"), "val": ("graustadt", "nebelheim")}
"""The invented cities of either split of the target; no city is in both."""

_FIRST_INDEX = {"train": 0, "val": 1_000_000}  # train and val share no scene
_FRAME = 19  # the labelled frame of every sequence of Cityscapes


@dataclass(frozen=True)
class Street:
    """One scene of the miniature and where its two files go, relative to the miniature's root."""

    domain: str
    index: int
    picture: str
    label: str

    @property
    def files(self) -> tuple[str, str]:
        """Picture and label."""
        return self.picture, self.label


def gta5_streets(count: int) -> Iterator[Street]:
    """The source: ``gta5/images/00001.png`` and ``gta5/labels/00001.png`` onwards."""
    for index in range(count):
        name = f"{index + 1:05d}.png"
        yield Street("source", index, f"gta5/images/{name}", f"gta5/labels/{name}")


def synthia_streets(count: int) -> Iterator[Street]:
    """The same source: ``synthia/RGB/0000000.png`` and ``synthia/GT/LABELS/0000000.png`` onwards."""
    for index in range(count):
        name = f"{index:07d}.png"
        yield Street("source", index, f"synthia/RGB/{name}", f"synthia/GT/LABELS/{name}")


SOURCES = {"gta5": gta5_streets, "synthia": synthia_streets}
"""The layouts that a source can have."""


def cityscapes_streets(split: str, count: int) -> Iterator[Street]:
    """The target's ``split`` ("train" or "val"): its cities take turns, every scene is a sequence of its own."""
    cities = CITIES[split]
    for index in range(count):
        city = cities[index % len(cities)]
        stem = f"{split}/{city}/{city}_{index // len(cities):06d}_{_FRAME:06d}"
        yield Street(
            "target",
            _FIRST_INDEX[split] + index,
            f"cityscapes/leftImg8bit/{stem}_leftImg8bit.png",
            f"cityscapes/gtFine/{stem}_gtFine_labelIds.png",
        )


def write_streets(
    streets: list[Street], root: Path, *, seed: int, width: int, height: int, shift: float, workers: int
) -> NDArray[np.int64]:
    """Render ``streets`` into ``root``, every file written beside and renamed; the bytes do not depend on ``workers``.

    Returns the pixels of every label id over all scenes, (256,) int64. Raises InputError for settings that no
    street can be rendered with.
    """
    write = partial(_write_street, root=root, seed=seed, width=width, height=height, shift=shift)
    pixels = np.zeros(256, dtype=np.int64)
    progress = partial(tqdm, total=len(streets), desc="rendering", unit=" pictures", file=sys.stderr, mininterval=1.0)
    if workers <= 1:
        for counts in progress(map(write, streets)):
            pixels += counts
        return pixels
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        for counts in progress(pool.map(write, streets, chunksize=8)):
            pixels += counts
    return pixels


def _write_street(street: Street, *, root: Path, seed: int, width: int, height: int, shift: float) -> NDArray[np.int64]:
    """Render and write one scene; returns its pixels of every label id, (256,) int64."""
    picture, label = render_street(
        street.domain, seed=seed, index=street.index, width=width, height=height, shift=shift
    )
    _save(Image.fromarray(picture), root / street.picture)
    if street.label.startswith("synthia/"):
        _save_as_synthia(label, root / street.label)
    else:
        label_image = Image.fromarray(label)
        if street.domain == "source":
            label_image.putpalette(_gta5_palette())
        _save(label_image, root / street.label)
    return np.bincount(label.ravel(), minlength=256)


def _gta5_palette() -> list[int]:
    """The 256 * 3 palette of GTA5's label files; ids that it does not define are black."""
    flat = [channel for label in sorted(GTA5_LABELS, key=lambda label: label.id) for channel in label.colour]
    return flat + [0] * (3 * 256 - len(flat))


def _save(image: Image.Image, path: Path) -> None:
    with beside(path) as part:
        image.save(part, format="PNG", compress_level=4)


def _save_as_synthia(label: NDArray[np.uint8], path: Path) -> None:
    """Cityscapes label ids (H, W) as a PNG of three 16-bit channels: SYNTHIA's id, instance (none), nothing.

    Neither Pillow nor torchvision writes such a PNG (PNG specification: 5.3 for chunks, 9.2 for filter 0).
    """
    synthia_ids = {label.name: label.id for label in SYNTHIA_LABELS}
    table = np.zeros(256, dtype=">u2")  # what SYNTHIA has no name for is void
    for known in CITYSCAPES_LABELS:
        table[known.id] = synthia_ids.get(known.name, 0)
    height, width = label.shape
    channels = np.zeros((height, width, 3), dtype=">u2")
    channels[..., 0] = table[label]
    rows = b"".join(b"\0" + row.tobytes() for row in channels)
    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 4)), (b"IEND", b""))
    with beside(path) as part:
        part.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
                for kind, body in chunks
            )
        )
