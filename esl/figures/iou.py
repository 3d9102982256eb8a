"""The figure of the scores: IoU of each class for every model, its difference to the first model, and intervals."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize, TwoSlopeNorm
from numpy.typing import NDArray

from esl.evaluation.contents import BenchmarkScores, Intervals, ModelScores
from esl.figures.style import KEPT, SHADES, draw_statement, drawing, heading, panels
from esl.figures.table import Shades, Table, draw_table, name_height, name_width
from esl.figures.text import short

DIFFERENCES = "PuOr"
"""Colours that colour-blind readers tell apart: orange is worse, violet better."""

CELL = 0.66
"""Width of a column in inches."""

BARS, GAP = 1.1, 0.12
"""Height of the intervals, and their distance from the tables, in inches."""

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


def draw_iou(path: Path, content: BenchmarkScores) -> None:
    """Writes the figure of a benchmark's models: a table of scores, and one of differences to the first model.

    Below the columns of both, the mIoU of the first class set and its differences have their intervals.
    """
    models, intervals = content.models, content.intervals
    first_name, first = next(iter(models.items()))
    title = f"{content.benchmark}: IoU of every model in percent, and its difference to {first_name} in points"
    if not first.images:
        draw_statement(path, title, f"None of the {first.unlabelled} validation images has a label to score against.")
        return
    rows, values = score_table(models)
    labels, columns = [short(row, 26) for row in rows], [short(name, 22) for name in models]
    left, top, gap = name_width(labels), name_height(columns) + 0.55, 0.45
    right = 0.6 * name_height(columns)  # the last slanted name reaches beyond its column
    widths = [len(models), max(1, len(models) - 1)]
    heights = [0.235 * len(rows), *([] if intervals is None else [BARS])]
    size = left + CELL * sum(widths) + gap + right, top + sum(heights) + GAP * (len(heights) - 1) + 0.12
    with drawing(path, max(size[0], 7.0), size[1]) as figure:
        heading(figure, title, _note(first, intervals))
        margins, ratios = (left, right, top, 0.12), {"width_ratios": widths, "height_ratios": heights}
        tables, *bars = panels(figure, len(heights), 2, margins=margins, gaps=(gap, GAP), **ratios)
        _draw_tables(tables, Table(values, labels, columns), len(first.miou))
        if intervals is not None:
            _draw_bars(bars[0], models, intervals)


def _note(first: ModelScores, intervals: Intervals | None) -> str:
    """The line below the title."""
    note = f"{first.images} validation images"
    return note if intervals is None else f"{note}; bars are 95 % intervals of mIoU over {intervals.over}"


def _draw_tables(cells: Sequence[Axes], table: Table, means: int) -> None:
    """The scores of every model, and the differences to the first; a line below the ``means`` of both."""
    draw_table(cells[0], table, Shades(Normalize(0, 100), SHADES))
    _rule(cells[0], means)
    differences = table.values[:, 1:] - table.values[:, :1]
    if not differences.size:
        cells[1].set_axis_off()
        return
    span = max(LEAST_SPAN, float(np.nanmax(np.abs(differences), initial=0)))
    changes = Table(differences, [""] * len(table.rows), table.columns[1:])
    draw_table(cells[1], changes, Shades(TwoSlopeNorm(0, -span, span), DIFFERENCES), signed=True)
    _rule(cells[1], means)


def _draw_bars(cells: Sequence[Axes], models: Models, intervals: Intervals) -> None:
    """The intervals of the first class set: of every model's mIoU, and of its difference to the first model."""
    first_name, first = next(iter(models.items()))
    set_ = next(iter(first.miou))
    values = {name: (scores.miou[set_], intervals.miou[name][set_]) for name, scores in models.items()}
    known = [(value, ends[0], ends[1]) for value, ends in values.values() if value is not None and ends]
    _draw_intervals(cells[0], known)
    cells[0].set_ylabel("mIoU")
    found = {own.model: own for own in intervals.differences if own.against == first_name and own.set == set_}
    changes = [found[name] for name in models if name in found]
    if not changes:
        cells[1].set_axis_off()
        return
    _draw_intervals(cells[1], [(own.value, own.low, own.high) for own in changes])
    cells[1].axhline(0, color="black", linewidth=0.8)


def _draw_intervals(cell: Axes, intervals: Sequence[tuple[float, float, float]]) -> None:
    """Points with bars from low to high, in percent, at the places of the columns of the table above."""
    value, low, high = 100 * np.array(intervals).T
    places = np.arange(len(value))
    cell.vlines(places, low, high, color=KEPT)
    cell.plot(places, value, linestyle="none", marker="o", color=KEPT, markersize=4)
    cell.set_xlim(-0.5, len(value) - 0.5)
    cell.set_xticks([])


def _rule(cell: Axes, means: int) -> None:
    """A line between the means and the classes."""
    cell.axhline(means - 0.5, color="white", linewidth=4)
