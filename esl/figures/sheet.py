"""The sheet: some images next to pseudo-labels or predictions, and labels."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.classes import ClassSet
from esl.data.images import read_label
from esl.data.index import Index, IndexedSample
from esl.figures.style import class_patches, drawing, in_colour, panels
from esl.figures.text import legend_columns
from esl.labels.manifest import PseudoLabels, read_any_manifest
from esl.labels.png import png_path, train_id_table

Row = dict[str, NDArray[np.uint8]]
"""Column title -> image (H, W, 3)."""


def label_rows(index: Index, manifests: Sequence[Path], images: int) -> list[Row]:
    """A row for each of ``images`` samples, evenly spread over ``index``: image, one label for each manifest, truth.

    ``manifests`` are the pseudo_labels.json of rounds or the predictions.json of models, whose folders name them.
    """
    positions = np.linspace(0, len(index.samples) - 1, min(images, len(index.samples))).round().astype(int)
    return [_row(index, index.samples[position], manifests) for position in positions]


def _row(index: Index, sample: IndexedSample, manifests: Sequence[Path]) -> Row:
    class_set = index.class_set
    row = {"target image": index.read_image(sample)}
    for manifest in manifests:
        found = read_any_manifest(manifest)
        name = manifest.parent.name
        title = f"{name} ({100 * found.kept:.0f} % kept)" if isinstance(found, PseudoLabels) else name
        label = read_label(png_path(manifest.with_suffix(""), sample.id), train_id_table(class_set))
        row[title] = in_colour(label, class_set)
    if sample.label is not None:
        row["truth"] = in_colour(index.read_label(sample), class_set)
    return row


def save_sheet(path: Path, rows: list[Row], class_set: ClassSet) -> None:
    """Writes a PNG with a grid of images: one row per sample, one column per title, and the colours of the classes.

    Titles are in the same order in all rows; the cell of a title that a row lacks stays empty.
    """
    titles = list(dict.fromkeys(title for row in rows for title in row))
    height, width = next(iter(rows[0].values())).shape[:2]
    cell_height = 3.2 * height / width
    with drawing(path, 3.2 * len(titles), (cell_height + 0.08) * len(rows) + 0.85) as figure:
        axes = panels(figure, len(rows), len(titles), margins=(0.03, 0.03, 0.3, 0.55), gaps=(0.06, 0.08))
        for row, cells in zip(rows, axes, strict=True):
            for title, cell in zip(titles, cells, strict=True):
                cell.set_axis_off()
                if title in row:
                    cell.imshow(row[title], interpolation="nearest")
        for title, cell in zip(titles, axes[0], strict=True):
            cell.set_title(title, fontsize=10, loc="center")
        figure.legend(handles=class_patches(class_set), loc="lower center", ncols=legend_columns(len(class_set)))
