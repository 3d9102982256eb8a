"""The miniature on disk: GTA5, SYNTHIA, Cityscapes and Mapillary Vistas exactly as they are laid out."""

import hashlib
import json
import math
import struct
import sys
import zlib
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from esl.data.label_tables import CITYSCAPES_LABELS, GTA5_LABELS, SYNTHIA_LABELS
from esl.files import atomic_path
from miniature.render import render_street
from miniature.vistas import VISTAS_COLOURS, vistas_config, vistas_ids

CITIES = {"train": ("ahrenfurt", "lindenau", "moosbach"), "val": ("graustadt", "nebelheim")}
"""The invented cities of either split of the target; no city is in both."""

VISTAS_SPLITS = {"train": "training", "val": "validation"}
"""What Mapillary Vistas calls the splits."""

SHAPES = ((4, 3), (16, 9), (4, 3), (3, 4), (4, 3))
"""Width to height of the pictures of Vistas, in turn: cameras and telephones, one in five held upright."""

_FIRST_INDEX = {"train": 0, "val": 1_000_000}  # train and val share no scene
_FRAME = 19  # the labelled frame of every sequence of Cityscapes
_JPEG_QUALITY = 92

LabelKind = Literal["gta5", "synthia", "cityscapes", "mapillary"]


@dataclass(frozen=True)
class Street:
    """One scene of the miniature, and where its two files go, relative to the data set's root."""

    domain: str
    index: int
    picture: str
    label: str
    kind: LabelKind
    shape: tuple[int, int] | None = None  # width to height; None: the rendering's own

    @property
    def files(self) -> tuple[str, str]:
        """Picture and label."""
        return self.picture, self.label

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in pixels: as many pixels, about, as ``width`` x ``height`` has."""
        if self.shape is None:
            return width, height
        scale = math.sqrt(width * height / (self.shape[0] * self.shape[1]))
        return round(self.shape[0] * scale), round(self.shape[1] * scale)


Counts = Mapping[str, int]
"""How many pictures the ``source``, ``target_train`` and ``target_val`` of the miniature have."""


def gta5_streets(counts: Counts) -> Iterator[Street]:
    """The source: ``images/00001.png`` and ``labels/00001.png`` onwards."""
    for index in range(counts["source"]):
        name = f"{index + 1:05d}.png"
        yield Street("source", index, f"images/{name}", f"labels/{name}", "gta5")


def synthia_streets(counts: Counts) -> Iterator[Street]:
    """The same source: ``RGB/0000000.png`` and ``GT/LABELS/0000000.png`` onwards."""
    for index in range(counts["source"]):
        name = f"{index:07d}.png"
        yield Street("source", index, f"RGB/{name}", f"GT/LABELS/{name}", "synthia")


def cityscapes_streets(counts: Counts) -> Iterator[Street]:
    """The target, train and val: the cities of a split take turns, every scene is a sequence of its own."""
    for split, cities in CITIES.items():
        for index in range(counts[f"target_{split}"]):
            city = cities[index % len(cities)]
            stem = f"{split}/{city}/{city}_{index // len(cities):06d}_{_FRAME:06d}"
            picture, label = f"leftImg8bit/{stem}_leftImg8bit.png", f"gtFine/{stem}_gtFine_labelIds.png"
            yield Street("target", _FIRST_INDEX[split] + index, picture, label, "cityscapes")


def mapillary_streets(counts: Counts) -> Iterator[Street]:
    """The same scenes in pictures of several shapes: ``training`` and ``validation``, named by keys of 22 letters."""
    for split, folder in VISTAS_SPLITS.items():
        for index in range(counts[f"target_{split}"]):
            number = _FIRST_INDEX[split] + index
            key = urlsafe_b64encode(hashlib.md5(str(number).encode(), usedforsecurity=False).digest()).decode()[:22]
            files = f"{folder}/images/{key}.jpg", f"{folder}/labels/{key}.png"
            yield Street("target", number, *files, "mapillary", SHAPES[index % len(SHAPES)])


LAYOUTS: dict[str, Callable[[Counts], Iterator[Street]]] = {
    "gta5": gta5_streets,
    "synthia": synthia_streets,
    "cityscapes": cityscapes_streets,
    "mapillary": mapillary_streets,
}
"""The data sets that the miniature can be laid out as: two sources, two targets."""

EXTRA_FILES = {"mapillary": {"config.json": json.dumps(vistas_config(), indent=4)}}
"""What lies in a data set's root beside pictures and labels."""


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
    width, height = street.size(width, height)
    picture, label = render_street(
        street.domain, seed=seed, index=street.index, width=width, height=height, shift=shift
    )
    _save(Image.fromarray(picture), root / street.picture)
    if street.kind == "synthia":
        _save_as_synthia(label, root / street.label)
    elif street.kind == "mapillary":
        _save(_indexed(vistas_ids()[label], VISTAS_COLOURS), root / street.label)
    elif street.kind == "gta5":
        _save(_indexed(label, [item.colour for item in GTA5_LABELS]), root / street.label)
    else:
        _save(Image.fromarray(label), root / street.label)
    return np.bincount(label.ravel(), minlength=256)


def _indexed(ids: NDArray[np.uint8], colours: list[tuple[int, int, int]]) -> Image.Image:
    """Ids (H, W) as an indexed image in the colours of the ids; those without one are black."""
    image = Image.fromarray(ids)
    flat = [channel for colour in colours for channel in colour]
    image.putpalette(flat + [0] * (3 * 256 - len(flat)))
    return image


def _save(image: Image.Image, path: Path) -> None:
    with atomic_path(path) as part:
        if path.suffix == ".jpg":
            image.save(part, format="JPEG", quality=_JPEG_QUALITY)
        else:
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
    with atomic_path(path) as part:
        part.write_bytes(
            b"\x89PNG\r\n\x1a\n"
            + b"".join(
                struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
                for kind, body in chunks
            )
        )
