"""The figure of risk against coverage: how well each measure ranks a teacher's predictions, and where methods cut.

Exact, from histograms of right and wrong codes; see ``esl/labels/risk.py``. Shape suffixes: C classes, K codes.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from esl.data.index import Index
from esl.errors import InputError
from esl.evaluation.confidence import ranking_of
from esl.figures.style import COLOURS, DASHES, MARKERS, axis_titles, draw_statement, drawing, heading, panels
from esl.figures.text import rounded, short
from esl.labels.manifest import LabelQuality, read_manifest
from esl.labels.measures.base import Measure, Sure
from esl.labels.measures.build import measure_named
from esl.labels.methods.quantile import kept_codes
from esl.labels.risk import Ranking, augrc
from esl.labels.thresholds import Thresholds, read_thresholds
from esl.labels.writer import stored_measures
from esl.tables import percent

POINTS = 300
"""The most points of a curve that are drawn."""

COLUMNS = 5
"""Panels in a row; the overall one takes the place of two by two."""


class Selection(NamedTuple):
    """A round made from the teacher's maps: its thresholds.json, and ``quality`` of its pseudo_labels.json."""

    name: str
    thresholds: Thresholds
    quality: LabelQuality | None

    @property
    def cuts(self) -> bool:
        """Whether its thresholds cut the measure, whatever the image."""
        return all(entry.kept is not None for entry in self.thresholds.classes.values() if entry.pixels)


class Curve(NamedTuple):
    """Risk against coverage, both in [0, 1], from the most confident pixels to all."""

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]


def read_selection(folder: Path) -> Selection:
    """The selection of the round in ``folder``; InputError when a file is missing or damaged."""
    thresholds, manifest = read_thresholds(folder / "thresholds.json"), read_manifest(folder / "pseudo_labels.json")
    return Selection(folder.name, thresholds, manifest.quality)


def risk_curve(total_K: NDArray[np.int64], correct_K: NDArray[np.int64], sure: Sure) -> Curve:
    """The curve of the pixels counted at each code: at most ``POINTS`` of its exact points, the last one included.

    >>> curve = risk_curve(np.array([2, 0, 2]), np.array([2, 0, 1]), "low")
    >>> curve.coverage.tolist(), curve.risk.tolist()
    ([0.5, 1.0], [0.0, 0.25])
    """
    order = slice(None) if sure == "low" else slice(None, None, -1)
    held = np.flatnonzero(total_K[order])
    total, wrong = np.cumsum(total_K[order][held]), np.cumsum((total_K - correct_K)[order][held])
    if not len(held):
        return Curve(np.empty(0), np.empty(0))
    places = np.unique(np.searchsorted(total, np.linspace(1 / POINTS, 1, POINTS) * total[-1]))
    return Curve(total[places] / total[-1], wrong[places] / total[places])


def cut_point(
    total_K: NDArray[np.int64], correct_K: NDArray[np.int64], threshold: float | None, sure: Sure
) -> tuple[float, float] | None:
    """Coverage and risk of the pixels of one class that a threshold keeps; ``None`` where it keeps none."""
    codes = kept_codes(threshold, sure)
    kept = int(total_K[codes].sum())
    return (kept / int(total_K.sum()), 1 - int(correct_K[codes].sum()) / kept) if kept else None


def draw_risk_coverage(
    path: Path, teacher: str, shards: Sequence[Path], index: Index, selections: Sequence[Selection]
) -> None:
    """Writes the figure of a teacher's maps: a curve per measure over all labelled pixels, then one per class.

    Marks show what ``selections``, the rounds that it teaches, keep. Without a label the figure says so.

    Raises:
        InputError: the shards store no measure, or lack a labelled sample.
    """
    title = f"{teacher}: risk against coverage of its predictions on the target training images"
    if not index.labelled:
        draw_statement(
            path, title, f"None of the {len(index.samples)} images has a label, so nobody knows which pixels are wrong."
        )
        return
    if not (names := stored_measures([*shards])):
        raise InputError(f"{shards[0].parent}: stores no measure; add one to inference.maps and infer again")
    ranking = ranking_of(shards, index, [measure_named(name) for name in names])
    num_classes = len(index.class_set)
    rows = 2 + max(0, math.ceil((num_classes - 2 * (COLUMNS - 2)) / COLUMNS))
    with drawing(path, 12.5, 1.2 + 1.85 * rows) as figure:
        pixels, right = (int(count) for count in ranking.counts[names[0]].sum(axis=(1, 2)))
        heading(
            figure,
            title,
            f"{rounded(pixels)} labelled pixels of {len(index.labelled)} images, "
            f"{percent(1 - right / pixels if pixels else None)} of them predicted wrong",
        )
        axes = panels(figure, rows, COLUMNS, margins=(0.85, 0.15, 0.88, 0.5), gaps=(0.42, 0.52))
        for cell in axes[:2, :2].ravel():
            cell.remove()
        whole = figure.add_subplot(axes[0, 0].get_gridspec()[:2, :2])
        _draw_whole(whole, ranking, selections)
        free = [*axes[0, 2:], *axes[1, 2:], *axes[2:].ravel()]
        for cell, name, class_ in zip(free, index.class_set.classes, range(num_classes), strict=False):
            _draw_class(cell, short(name, 26), class_, ranking, selections)
        for cell in free[num_classes:]:
            cell.remove()
        axis_titles(
            figure, "coverage: the most confident pixels kept, % of all", "risk: wrong among the pixels kept, %"
        )


def _draw_whole(cell: Axes, ranking: Ranking, selections: Sequence[Selection]) -> None:
    """All pixels ranked together; what each selection keeps, by its own thresholds, may lie off the curves."""
    handles: list[Line2D] = []
    for number, measure in enumerate(ranking.measures):
        total, correct = ranking.counts[measure.name].sum(axis=1)
        area = augrc(total, correct, sure=measure.sure)
        handles += _draw_curve(cell, risk_curve(total, correct, measure.sure), number)
        handles[-1].set_label(measure.name if area is None else f"{measure.name} (AUGRC {1000 * area:.1f} in 1e-3)")
    for number, selection in enumerate(selections):
        if selection.quality is not None and selection.quality.accuracy is not None:
            x, y = 100 * (selection.quality.coverage or 0), 100 * (1 - selection.quality.accuracy)
            handles += cell.plot(x, y, **_mark(number, size=9))
            handles[-1].set_label(f"{short(selection.name)}: keeps {x:.1f} %, {y:.1f} % of them wrong")
    cell.set(xlim=(0, 100), ylim=(0, None))
    cell.set_title("all pixels", fontweight="bold")
    cell.legend(handles=handles, loc="upper left")


def _draw_class(cell: Axes, name: str, class_: int, ranking: Ranking, selections: Sequence[Selection]) -> None:
    """The pixels predicted as one class."""
    cell.set_title(name, fontweight="bold", pad=12.5)
    cell.set(xlim=(0, 100))
    pixels = int(ranking.counts[ranking.measures[0].name][0, class_].sum())
    cell.text(0, 1.03, f"predicted for {rounded(pixels)} px", transform=cell.transAxes, fontsize=7.5, color="#333333")
    for number, measure in enumerate(ranking.measures):
        total, correct = ranking.counts[measure.name][:, class_]
        _draw_curve(cell, risk_curve(total, correct, measure.sure), number)
        for mark, selection in enumerate(selections):
            if (point := _cut(selection, measure, class_, total, correct)) is not None:
                cell.plot(100 * point[0], 100 * point[1], **_mark(mark, size=6.5))
    if not pixels:
        cell.text(0.5, 0.5, "no labelled pixel predicted", transform=cell.transAxes, ha="center", color="#777777")
    cell.set_ylim(0, max(cell.get_ylim()[1], 1))


def _cut(
    selection: Selection, measure: Measure, class_: int, total: NDArray[np.int64], correct: NDArray[np.int64]
) -> tuple[float, float] | None:
    """The point of a class where a selection cuts this measure."""
    if selection.thresholds.measure != measure.name or not selection.cuts:
        return None
    return cut_point(total, correct, selection.thresholds.values[class_], measure.sure)


def _draw_curve(cell: Axes, curve: Curve, number: int) -> list[Line2D]:
    style: dict[str, Any] = {"color": COLOURS[number % len(COLOURS)], "linestyle": DASHES[number % len(DASHES)]}
    return cell.plot(100 * curve.coverage, 100 * curve.risk, **style)


def _mark(number: int, size: float) -> dict[str, Any]:
    """A mark in black and white, which no curve has."""
    return {
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": size,
        "markerfacecolor": "white",
        "markeredgecolor": "black",
        "linestyle": "",
        "zorder": 4,
        "clip_on": False,
    }
