"""Writes labels of target images: a PNG of trainIds for each, and the manifest of all."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.data.index import IndexedSample
from esl.files import sha256_of_file
from esl.labelling.contents import LabelFile, Labels, LabelSet
from esl.labels.png import png_path, remove_others, write_png


def write_label(
    folder: Path, sample: IndexedSample, set_: LabelSet, label: NDArray[np.uint8], class_set: ClassSet
) -> LabelFile:
    """Writes trainIds (H, W) uint8, at the size of the image of ``sample``, as a PNG in ``folder``."""
    path = png_path(folder, sample.id)
    write_png(path, label, class_set)
    pixels = np.bincount(label.ravel(), minlength=IGNORE + 1)[: len(class_set)].tolist()
    return LabelFile(sha256=sha256_of_file(path), set=set_, image_sha256=sample.image_sha256, pixels=pixels)


def manifest(
    folder: Path, files: Mapping[str, LabelFile], class_set: ClassSet, *, origin: str, drawn_at_random: bool = False
) -> Labels:
    """The manifest of ``files``, one or more by the sample's id; other PNGs in ``folder`` are removed."""
    remove_others(folder, [png_path(folder, id_) for id_ in files])
    totals = map(sum, zip(*(file.pixels for file in files.values()), strict=True))
    pixels = dict(zip(class_set.classes, totals, strict=True))
    ordered = dict(sorted(files.items()))
    return Labels(origin=origin, drawn_at_random=drawn_at_random, images=len(files), pixels=pixels, files=ordered)
