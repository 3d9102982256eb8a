"""A target whose names are odd, random labels of it, and the files that tools make of such labels."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.labelling.contents import LabelSet
from esl.labelling.kinds import annotated_images
from esl.labelling.masks import MaskWriter

Label = NDArray[np.uint8]
Sets = Mapping[LabelSet, Mapping[str, Label]]
"""Labels by set and by the path of their image without ending."""

CLASSES = CLASS_SETS["cityscapes19"]
SETS: tuple[LabelSet, ...] = ("measure", "train")
FOLDERS: Mapping[LabelSet, str] = {"measure": "val", "train": "train"}
NAMES: Mapping[LabelSet, tuple[str, ...]] = {
    "train": ("train/drive 1/frame.v1", "train/straße/ä b", "train/plain"),
    "measure": ("val/drive 2/frame.v1", "val/other"),
}
"""Folders, spaces, dots, letters outside of ASCII."""


@dataclass(frozen=True)
class Target:
    """The indices of a target, and a label of each of its images."""

    root: Path
    indices: dict[LabelSet, Index]
    labels: Sets

    def id_of(self, name: str) -> str:
        """The id of an image by its path without ending."""
        samples = (sample for index in self.indices.values() for sample in index.samples)
        return next(sample.id for sample in samples if sample.image.rpartition(".")[0] == name)


def random_label(seed: int, size_hw: tuple[int, int] = (16, 24)) -> Label:
    """Pixels of four classes, and pixels without a label."""
    return np.random.default_rng(seed).choice([0, 3, 13, 18, IGNORE], size_hw).astype(np.uint8)


def write_target(root: Path, names: Mapping[LabelSet, tuple[str, ...]] = NAMES) -> Target:
    """Images of 24x16 with random pixels."""
    for seed, name in enumerate(name for set_ in SETS for name in names[set_]):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        pixels = np.random.default_rng(seed).integers(0, 256, (16, 24, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(root / f"{name}.jpg")
    labels = {set_: {name: random_label(len(name)) for name in names[set_]} for set_ in SETS}
    return Target(root, {set_: index_of(root, FOLDERS[set_]) for set_ in SETS}, labels)


def index_of(root: Path, split: str) -> Index:
    """The index of a folder of images without labels."""
    return inspect("folder", format_named("folder"), root, split, CLASSES, Checks(labels="optional")).sound_index()


def write_masks(path: Path, subsets: Mapping[str, Mapping[str, Label]]) -> Path:
    """A zip file of "Segmentation mask 1.1" of labels by subset and name."""
    with ZipFile(path, "w") as archive:
        writer = MaskWriter(archive, CLASSES)
        for subset, labels in subsets.items():
            for name, label in labels.items():
                writer.add(subset, name, *writer.encoded(label))
        writer.finish()
    return path


def write_zip(path: Path, files: Mapping[str, bytes | str]) -> Path:
    """A zip file of these files."""
    with ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def png(values: NDArray[np.uint8], palette: list[int] | None = None) -> bytes:
    """A PNG of grey (H, W), of indices into a palette, or of colours (H, W, 3)."""
    image, buffer = Image.fromarray(values), io.BytesIO()
    if palette is not None:
        image.putpalette(palette)
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def colours_of(label: Label) -> NDArray[np.uint8]:
    """The colours (H, W, 3) of trainIds (H, W)."""
    return np.array(CLASSES.palette(), dtype=np.uint8).reshape(256, 3)[label]


def sets_of(path: Path) -> dict[LabelSet | None, list[str]]:
    """The names of the labelled images of a file by their set, as the file gives them."""
    names: dict[LabelSet | None, list[str]] = {}
    for image in annotated_images(path):
        names.setdefault(image.set, []).append(image.name)
    return names
