"""The figure of a round's thresholds: the teacher's confidence in each class, and the cut of the method."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FuncFormatter, NullLocator
from numpy.typing import NDArray

from esl.figures.style import DROPPED, KEPT, WRONG, axis_titles, draw_statement, drawing, heading, panels
from esl.figures.text import rounded, short
from esl.labels.fixed_point import CODES
from esl.labels.measures.base import Sure
from esl.labels.measures.build import measure_named
from esl.labels.shard import open_shard, same_origin
from esl.labels.thresholds import ClassThreshold, Thresholds
from esl.tables import percent

BINS = 64
"""Bars of a histogram; each holds the same number of codes."""

LEAST_SHARE = 1e-5
"""The bottom of the logarithmic axis."""

COLUMNS = 5


def merged_histogram(shards: Sequence[Path], measure: str) -> NDArray[np.int64]:
    """Pixels of each predicted class at each code over all shards: (C, 65536).

    Raises:
        InputError: a shard has no histogram of the measure, or the shards are of different models.
    """
    total = np.zeros((len(same_origin([*shards]).classes), CODES), dtype=np.int64)
    for path in shards:
        with open_shard(path) as shard:
            total += shard.histogram(measure)
    return total


def binned(counts_K: NDArray[np.int64]) -> NDArray[np.int64]:
    """Pixels in each of ``BINS`` bars from pixels at each code (65536,)."""
    bars: NDArray[np.int64] = counts_K.reshape(BINS, -1).sum(axis=1)
    return bars


def draw_thresholds(path: Path, round_: str, thresholds: Thresholds, shards: Sequence[Path]) -> None:
    """Writes the figure of a round: a panel for each class with the histogram of the measure, cut and kept share.

    Raises:
        InputError: the shards do not hold the measure that the thresholds cut.
    """
    if thresholds.measure is None:
        draw_statement(path, f"{round_}: thresholds", f"The method {thresholds.method} keeps no pixel, so it has none.")
        return
    measure = measure_named(thresholds.measure)
    histograms = merged_histogram(shards, measure.name)
    rows = math.ceil((len(thresholds.classes) + 1) / COLUMNS)
    with drawing(path, 12.5, 1.15 + 1.75 * rows) as figure:
        heading(
            figure,
            f"{round_}: {measure.name} of the pixels predicted as each class, and what {thresholds.method} keeps",
            f"{_kept(thresholds.kept)} of {rounded(int(histograms.sum()))} pixels in {thresholds.images} images",
        )
        axes = panels(
            figure, rows, COLUMNS, margins=(0.85, 0.15, 0.92, 0.5), gaps=(0.25, 0.52), sharex=True, sharey=True
        )
        cells = axes.ravel()
        _scale(cells[0])
        for cell, (name, entry), counts in zip(cells, thresholds.classes.items(), histograms, strict=False):
            _draw_class(cell, name, entry, counts, measure.sure, thresholds.parameters.get("bound"))
        for cell in cells[len(histograms) :]:
            cell.set_axis_off()
        for cell in cells[max(0, len(histograms) - COLUMNS) : len(histograms)]:
            cell.tick_params(labelbottom=True)
        cells[-1].legend(handles=_legend(thresholds), loc="center left", bbox_to_anchor=(-0.08, 0.5))
        axis_titles(
            figure,
            f"{measure.name} (0 to 1; {measure.sure} values are sure)",
            "share of the class's pixels in each bar (logarithmic)",
        )


def _kept(share: float | None) -> str:
    return "kept: a share that depends on each image," if share is None else f"kept: {percent(share)}"


def _scale(cell: Axes) -> None:
    """The axes that all panels share."""
    cell.set(xlim=(0, 1), ylim=(LEAST_SHARE, 2), yscale="log", yticks=[1e-4, 1e-2, 1])
    cell.yaxis.set_major_formatter(FuncFormatter(lambda share, _: f"{100 * share:g} %"))
    cell.yaxis.set_minor_locator(NullLocator())


def _draw_class(
    cell: Axes, name: str, entry: ClassThreshold, counts_K: NDArray[np.int64], sure: Sure, bound: float | None
) -> None:
    """One panel; ``entry`` is the class's part of thresholds.json."""
    cell.set_title(short(name, 26), fontweight="bold", pad=12.5)
    pixels = int(counts_K.sum())
    if not pixels:
        cell.text(0.5, 0.5, "never predicted", transform=cell.transAxes, ha="center", color="#777777")
        return
    edges = np.linspace(0, 1, BINS + 1)
    cell.stairs(binned(counts_K) / pixels, edges, fill=True, color=DROPPED, baseline=LEAST_SHARE / 10)
    note = f"{percent(entry.kept)} kept of {rounded(pixels)} px"
    if entry.kept is None:
        note = f"{rounded(pixels)} px; the cut depends on the image"
    elif entry.threshold is not None:
        kept = cell.stairs(binned(counts_K) / pixels, edges, fill=True, color=KEPT, baseline=LEAST_SHARE / 10)
        left, right = (0, entry.threshold) if sure == "low" else (entry.threshold, 1)
        kept.set_clip_path(Rectangle((left, LEAST_SHARE), right - left, 2, transform=cell.transData))
        cell.axvline(entry.threshold, color="black", linewidth=1.2)
        if entry.quantile_value is not None:
            cell.plot(entry.quantile_value, 0.9, "v", color=WRONG, markersize=5.5, clip_on=False, zorder=5)
        if bound is not None:
            cell.plot(bound, 0.9, "D", markerfacecolor="none", color="black", markersize=5, clip_on=False, zorder=4)
        note += ", by the bound" if entry.bounded else ""
    cell.text(0, 1.03, note, transform=cell.transAxes, fontsize=7.5, color="#333333")


def _legend(thresholds: Thresholds) -> list[Any]:
    quantile, bound = (thresholds.parameters.get(key) for key in ("quantile", "bound"))
    named = "quantile" if quantile is None else f"quantile {quantile:g}"
    entries: list[Any] = [
        Patch(color=KEPT, label="kept as pseudo-label"),
        Patch(color=DROPPED, label="ignored"),
        Line2D([], [], color="black", label="threshold"),
        Line2D([], [], color=WRONG, marker="v", linestyle="", label=named),
    ]
    if bound is not None:
        entries.append(
            Line2D([], [], color="black", marker="D", markerfacecolor="none", linestyle="", label=f"bound {bound:g}")
        )
    return entries
