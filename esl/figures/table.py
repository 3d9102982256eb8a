"""Tables whose cells have the colour of their number."""

from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from numpy.typing import NDArray

DARK = 0.5
"""Luminance below which the number in a cell is white (Rec. 709 weights)."""


class Table(NamedTuple):
    """Numbers (R, M) with the names of their rows and columns; NaN is drawn as a dash."""

    values: NDArray[np.float64]
    rows: Sequence[str]
    columns: Sequence[str]


class Shades(NamedTuple):
    """The colours of numbers: ``norm`` maps them to [0, 1], ``cmap`` is the name of Matplotlib's colours of these."""

    norm: Normalize
    cmap: str


def draw_table(
    cell: Axes, table: Table, shades: Shades, *, signed: bool = False, digits: int = 1, fontsize: float = 7.5
) -> None:
    """Fills ``cell`` with a table of numbers with ``digits``, each on its own colour.

    The names of columns stand above it, the names of rows left of it.
    """
    values = table.values
    colours = mpl.colormaps[shades.cmap](shades.norm(np.nan_to_num(values)))[..., :3]
    colours[np.isnan(values)] = 0.93
    cell.imshow(colours, aspect="auto", interpolation="nearest")
    cell.grid(False)
    cell.spines[:].set_visible(False)
    cell.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    cell.set_xticks(range(len(table.columns)), table.columns, rotation=45, ha="left", rotation_mode="anchor")
    cell.set_yticks(range(len(table.rows)), table.rows)
    luminance = colours @ np.array([0.2126, 0.7152, 0.0722])
    for (row, column), value in np.ndenumerate(values):
        text = "-" if np.isnan(value) else f"{round(value, digits) + 0.0:{'+' if signed else ''}.{digits}f}"  # no -0.0
        ink = "white" if luminance[row, column] < DARK else "black"
        cell.text(column, row, text, ha="center", va="center", color=ink, fontsize=fontsize)


def name_width(names: Sequence[str]) -> float:
    """Inches that the longest of the names of rows takes."""
    return 0.072 * max(map(len, names)) + 0.15


def name_height(names: Sequence[str]) -> float:
    """Inches that the longest of the slanted names of columns takes."""
    return 0.052 * max(map(len, names)) + 0.1
