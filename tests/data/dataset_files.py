"""Files of datasets made on the spot, and their index, for the tests of this folder."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import name2label
from numpy.typing import NDArray
from PIL import Image

from esl.classes import ClassSet, IdTable
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.id_labels import decode_ids
from esl.data.images import read_bytes
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.settings import Checks
from esl.errors import InputError

Frame = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]  # image and raw ids
WriteFrames = Callable[[Path, str, dict[str, Frame]], Path]

STRICT = Checks()
CITYSCAPES19, SYNTHIA16, VISTAS7 = (CLASS_SETS[name] for name in ("cityscapes19", "synthia16", "vistas7"))
TRAIN_ID = {label.name: label.trainId for label in name2label.values()}
RNG = np.random.default_rng(0)


def image_file(path: Path, size_wh: tuple[int, int] = (8, 6)) -> Path:
    """A random image."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (size_wh[1], size_wh[0], 3), dtype=np.uint8)).save(path)
    return path


def label_file(path: Path, ids: NDArray[np.uint8], palette: list[tuple[int, int, int]] | None = None) -> Path:
    """Raw ids (H, W), grey or with a palette."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids)
    if palette:
        image.putpalette([channel for colour in palette for channel in colour])
    image.save(path)
    return path


def label_of(values: list[int]) -> NDArray[np.uint8]:
    """A label (6, 8) with every one of ``values`` in it."""
    return np.resize(np.array(values, dtype=np.uint8), (6, 8)) if len(values) <= 48 else np.array([values], np.uint8)


def index_of(
    name: str, root: Path, split: str, class_set: ClassSet = CITYSCAPES19, checks: Checks | None = None
) -> Index:
    """The index of a dataset without defects, in a shipped format."""
    return inspect(name, format_named(name), root, split, class_set, checks or Checks()).sound_index()


def train_ids_of(index: Index, number: int = 0) -> list[int]:
    """The trainIds of a sample, row by row."""
    return index.read_label(index.samples[number]).ravel().tolist()


def read_ids(path: Path, table: IdTable) -> NDArray[np.uint8]:
    """The raw ids (H, W) uint8 of a label file."""
    return decode_ids(*read_bytes(path), table)


def random_image(seed: int, width: int = 12, height: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def random_ids(seed: int, width: int = 12, height: int = 8) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, len(CITYSCAPES_LABELS), (height, width), dtype=np.uint8)


def random_frames(count: int = 3) -> dict[str, Frame]:
    """Labelled frames of one city by id."""
    return {f"ulm_{number:06d}_000019": (random_image(number), random_ids(number)) for number in range(count)}


def cityscapes_index(root: Path, checks: Checks = STRICT, split: str = "train") -> Index:
    """The index of a split of Cityscapes without defects."""
    return index_of("cityscapes", root, split, checks=checks)


def cityscapes_defects(root: Path, checks: Checks = STRICT) -> str:
    """The error with the defects of the training split."""
    with pytest.raises(InputError) as caught:
        cityscapes_index(root, checks)
    return str(caught.value)
