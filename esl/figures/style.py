"""The look of all figures: sizes, fonts, colours that colour-blind readers tell apart, and how a file is written."""

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet, Colour
from esl.figures.text import legend_text
from esl.files import atomic_path

DPI = 120
"""Pixels per inch of every figure."""

STYLE: Mapping[Any, Any] = {
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "legend.fontsize": 7.5,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "text.parse_math": False,  # names of classes and files are shown as they are, dollar signs included
    "text.usetex": False,
}
"""Settings other than Matplotlib's defaults; a reader's matplotlibrc changes nothing."""

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito, Color Universal Design (2008), without yellow, which white paper swallows."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")

DASHES = ("-", "--", "-.", ":")

KEPT, DROPPED, WRONG = "#0072B2", "#d0d0d0", "#D55E00"
"""Pixels with a pseudo-label, pixels without one, and mistakes."""

SHADES = "Blues"
"""The colours of shares and scores: white where there is nothing, dark where there is all."""

HEAT = "cividis"
"""The colours of a measure: made for colour-blind readers, and steadily lighter, so that they survive print."""

IGNORED_COLOUR = (255, 255, 255)
"""White marks pixels without a label: no class is white."""


@contextmanager
def drawing(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure of ``width`` times ``height`` inches, written to ``path`` as a PNG when the block succeeds.

    The same figure has the same bytes everywhere with one version of Matplotlib: no date, no version, no user's style.
    """
    with mpl.rc_context():
        mpl.rcdefaults()
        for name, value in STYLE.items():
            mpl.rcParams[name] = value
        figure = Figure(figsize=(width, height))
        yield figure
        with atomic_path(path) as part:
            figure.savefig(part, format="png", metadata={"Software": None})


def panels(
    figure: Figure,
    rows: int,
    columns: int,
    *,
    margins: tuple[float, float, float, float],
    gaps: tuple[float, float],
    **options: Any,
) -> NDArray[Any]:
    """Axes (rows, columns) at fixed places: measuring every text, as automatic layouts do, takes most of the time.

    ``margins`` left, right, top, bottom of the figure and ``gaps`` between columns and between rows, in inches.
    """
    left, right, top, bottom = margins
    width, height = figure.get_size_inches()
    panel_width = (width - left - right - gaps[0] * (columns - 1)) / columns
    panel_height = (height - top - bottom - gaps[1] * (rows - 1)) / rows
    places = {
        "left": left / width,
        "right": 1 - right / width,
        "top": 1 - top / height,
        "bottom": bottom / height,
        "wspace": gaps[0] / panel_width,
        "hspace": gaps[1] / panel_height,
    }
    axes: NDArray[Any] = figure.subplots(rows, columns, squeeze=False, gridspec_kw=places, **options)
    return axes


def heading(figure: Figure, title: str, note: str = "") -> None:
    """The bold line at the top left of a figure, and a plain one below it."""
    width, height = figure.get_size_inches()
    figure.text(0.08 / width, 1 - 0.1 / height, title, fontsize=10.5, fontweight="bold", va="top")
    figure.text(0.08 / width, 1 - 0.31 / height, note, va="top", color="#333333")


def axis_titles(figure: Figure, x: str, y: str) -> None:
    """Writes the titles of the axes that all panels share, at the bottom and the left edge of a figure."""
    width, height = figure.get_size_inches()
    figure.text(0.5, 0.08 / height, x, va="bottom", ha="center")
    figure.text(0.08 / width, 0.5, y, va="center", ha="left", rotation="vertical")


def draw_statement(path: Path, title: str, statement: str) -> None:
    """A figure that only says why there is nothing to draw."""
    lines = textwrap.wrap(statement, 110)
    with drawing(path, 9.0, 0.5 + 0.16 * len(lines)) as figure:
        heading(figure, title, "\n".join(lines))


def line_style(number: int) -> dict[str, Any]:
    """Colour, marker and dashes of the line ``number``: 0, 1, ...; no two of the first 63 share colour and marker."""
    return {
        "color": COLOURS[number % len(COLOURS)],
        "marker": MARKERS[number % len(MARKERS)],
        "linestyle": DASHES[number // len(COLOURS) % len(DASHES)],
    }


def in_colour(label: NDArray[np.uint8], class_set: ClassSet) -> NDArray[np.uint8]:
    """TrainIds (H, W) uint8 -> colours (H, W, 3) uint8 of the class set; ``IGNORE`` is white."""
    colours = np.full((256, 3), IGNORED_COLOUR, dtype=np.uint8)
    colours[: len(class_set)] = class_set.colours
    colours[IGNORE] = IGNORED_COLOUR
    return colours[label]


def web_colour(colour: Colour) -> str:
    """A colour as Matplotlib reads it.

    >>> web_colour((128, 64, 128))
    '#804080'
    """
    return "#{:02x}{:02x}{:02x}".format(*colour)


def class_patches(class_set: ClassSet, chosen: Sequence[int] | None = None) -> list[Patch]:
    """The entries of a legend of the classes ``chosen`` by trainId; by default, of all."""
    return [
        Patch(
            facecolor=web_colour(class_set.colours[id_]),
            edgecolor="#888888",
            linewidth=0.4,
            label=legend_text(class_set.classes[id_]),
        )
        for id_ in (range(len(class_set)) if chosen is None else chosen)
    ]
