"""Pictures for people: what would rather be seen than read."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.files import atomic_path

IGNORED_COLOUR = (255, 255, 255)
"""Pixels without a label are white here, so that black is left to nothing."""


def in_colour(label: NDArray[np.uint8], class_set: ClassSet) -> NDArray[np.uint8]:
    """TrainIds (H, W) uint8 -> colours (H, W, 3) uint8 of the class set; ``IGNORE`` is white."""
    colours = np.full((256, 3), IGNORED_COLOUR, dtype=np.uint8)
    colours[: len(class_set)] = class_set.colours
    colours[IGNORE] = IGNORED_COLOUR
    return colours[label]


def save_sheet(path: Path, rows: list[dict[str, NDArray[np.uint8]]], class_set: ClassSet) -> None:
    """Writes a PNG of pictures (H, W, 3) in a grid: one row per sample, one column per title, and the classes' colours.

    All rows have the same titles in the same order; a cell that is missing from a row stays empty.
    """
    titles = list(dict.fromkeys(title for row in rows for title in row))
    height, width = next(iter(rows[0].values())).shape[:2]
    figure = Figure(figsize=(3.2 * len(titles), 3.2 * height / width * len(rows) + 1.0), layout="constrained")
    axes = figure.subplots(len(rows), len(titles), squeeze=False)
    for row, cells in zip(rows, axes, strict=True):
        for title, cell in zip(titles, cells, strict=True):
            cell.set_axis_off()
            if title in row:
                cell.imshow(row[title], interpolation="nearest")
    for title, cell in zip(titles, axes[0], strict=True):
        cell.set_title(title, fontsize=10)
    handles = [
        Patch(color="#{:02x}{:02x}{:02x}".format(*colour), label=name)
        for name, colour in zip(class_set.classes, class_set.colours, strict=True)
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=10, fontsize=7, frameon=False)
    with atomic_path(path) as part, mpl.rc_context({"savefig.dpi": 120}):
        figure.savefig(part, format="png", metadata={"Software": None})
