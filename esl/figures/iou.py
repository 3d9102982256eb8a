"""The figure of the scores: IoU of each class for every model of a benchmark, and its difference to the first model."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from numpy.typing import NDArray

from esl.evaluation.contents import ModelScores
from esl.figures.style import SHADES, draw_statement, drawing, heading, panels
from esl.figures.table import Shades, Table, draw_table, name_height, name_width
from esl.figures.text import short

DIFFERENCES = "PuOr"
"""Colours that colour-blind readers tell apart: orange is worse, violet better."""

CELL = 0.66
"""Width of a column in inches."""

LEAST_SPAN = 5.0
"""The smallest end of the colours of differences, in points: noise stays pale."""

Models = Mapping[str, ModelScores]
"""The scores of every model, by the name of its folder."""


def score_table(models: Models) -> tuple[list[str], NDArray[np.float64]]:
    """Rows of the figure and their scores (R, M) in percent, NaN where there is none.

    First every mean, then every class; a column for each model.
    """
    first = next(iter(models.values()))
    rows = [f"mIoU {name}" for name in first.miou] + [*first.iou]
    columns = [[*scores.miou.values(), *scores.iou.values()] for scores in models.values()]
    values = np.array([[np.nan if value is None else 100 * value for value in column] for column in columns])
    return rows, values.T.reshape(len(rows), len(models))


def draw_iou(path: Path, benchmark: str, models: Models) -> None:
    """Writes the figure of a benchmark's models: a table of scores, and one of differences to the first model."""
    first_name, first = next(iter(models.items()))
    title = f"{benchmark}: IoU of every model in percent, and its difference to {first_name} in points"
    if not first.images:
        draw_statement(path, title, f"None of the {first.unlabelled} validation images has a label to score against.")
        return
    rows, values = score_table(models)
    means = len(first.miou)
    differences = values[:, 1:] - values[:, :1]
    labels, columns = [short(row, 26) for row in rows], [short(name, 22) for name in models]
    left, top, gap = name_width(labels), name_height(columns) + 0.55, 0.45
    right = 0.6 * name_height(columns)  # the last slanted name reaches beyond its column
    width = left + CELL * (len(models) + max(1, differences.shape[1])) + gap + right
    with drawing(path, max(width, 7.0), top + 0.235 * len(rows) + 0.12) as figure:
        heading(figure, title, f"{first.images} validation images")
        ratios = [len(models), max(1, differences.shape[1])]
        scores, changes = panels(figure, 1, 2, margins=(left, right, top, 0.12), gaps=(gap, 0), width_ratios=ratios)[0]
        draw_table(scores, Table(values, labels, columns), Shades(Normalize(0, 100), SHADES))
        _rule(scores, means)
        if len(models) == 1:
            changes.set_axis_off()
            return
        span = max(LEAST_SPAN, float(np.nanmax(np.abs(differences), initial=0)))
        unnamed = [""] * len(rows)
        shades = Shades(TwoSlopeNorm(0, -span, span), DIFFERENCES)
        draw_table(changes, Table(differences, unnamed, columns[1:]), shades, signed=True)
        _rule(changes, means)


def _rule(cell: Axes, means: int) -> None:
    """A line between the means and the classes."""
    cell.axhline(means - 0.5, color="white", linewidth=4)
