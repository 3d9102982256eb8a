"""The miniature on disk: the source exactly as GTA5 is laid out, the target exactly as Cityscapes."""

import sys
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

from esl.classes import GTA5_LABELS
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
    label_image = Image.fromarray(label)
    if street.domain == "source":
        label_image.putpalette(_gta5_palette())
    _save(Image.fromarray(picture), root / street.picture)
    _save(label_image, root / street.label)
    return np.bincount(label.ravel(), minlength=256)


def _gta5_palette() -> list[int]:
    """The 256 * 3 palette of GTA5's label files; ids that it does not define are black."""
    flat = [channel for label in sorted(GTA5_LABELS, key=lambda label: label.id) for channel in label.colour]
    return flat + [0] * (3 * 256 - len(flat))


def _save(image: Image.Image, path: Path) -> None:
    with beside(path) as part:
        image.save(part, format="PNG", compress_level=4)
