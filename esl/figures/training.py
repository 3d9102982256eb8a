"""The figure of a benchmark's trainings: losses and learning rate of every model, in one set of axes each."""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from esl.errors import InputError
from esl.figures.style import drawing, heading, line_style, panels
from esl.figures.text import legend_text

Log = dict[str, NDArray[np.float64]]
"""Column of train.csv -> its values; all of one length."""

SCALES = {"target_labelled": 100.0, "learning_rate": 1000.0}
"""Column of train.csv -> the factor of its unit in the figure."""

PANELS = {
    "source_loss": "loss on source labels",
    "target_loss": "loss on pseudo-labels",
    "target_labelled": "pseudo-labelled target pixels, %",
    "adaptation_loss": "loss of the target term",
    "labelled_loss": "loss on labels of target images",
    "learning_rate": "learning rate, 1e-3",
}
"""Column of train.csv -> title of its panel; a column of zeros has no panel."""

MARKED = 30
"""The most rows of a log whose points are marked."""


def read_log(path: Path) -> Log:
    """The columns of a train.csv.

    Raises:
        InputError: the file is missing, empty or no such log.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = [*csv.DictReader(file)]
        return {name: np.array([float(row[name]) for row in rows]) for name in ("iteration", *PANELS)}
    except FileNotFoundError:
        raise InputError(f"{path}: no such file; run the stage that writes it: snakemake {path}") from None
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not the log of a training ({error!r}); delete it and run the workflow again"
        ) from None


def shown_panels(logs: Sequence[Log]) -> list[str]:
    """The columns that any training uses, in the order of the figure."""
    return [name for name in PANELS if any(log[name].any() for log in logs)]


def draw_training(path: Path, benchmark: str, logs: Mapping[str, Log]) -> None:
    """Writes the figure of all trainings: a panel for each quantity, a line for each model that has it."""
    columns = shown_panels([*logs.values()])
    with drawing(path, 0.3 + 3.3 * max(len(columns), 2), 3.8 + 0.17 * (len(logs) // 6)) as figure:
        heading(
            figure, f"{benchmark}: how every model was trained", "losses and shares are means since the point before"
        )
        axes = panels(
            figure, 1, max(len(columns), 2), margins=(0.55, 0.15, 0.85, 0.95 + 0.17 * (len(logs) // 6)), gaps=(0.55, 0)
        )[0]
        for cell, column in zip(axes, columns, strict=False):
            cell.set_title(PANELS[column], fontweight="bold")
            cell.set_xlabel("iteration")
            for number, log in enumerate(logs.values()):
                if not log[column].any():
                    continue
                every = max(1, len(log[column]) // MARKED)
                values = SCALES.get(column, 1.0) * log[column]
                cell.plot(log["iteration"], values, markersize=3.5, markevery=every, **line_style(number))
            cell.set(xlim=(0, 1.05 * cell.dataLim.x1), ylim=(0, 1.08 * cell.dataLim.y1))
        for cell in axes[len(columns) :]:
            cell.set_axis_off()
        handles = [
            Line2D([], [], markersize=4, label=legend_text(name), **line_style(n)) for n, name in enumerate(logs)
        ]
        figure.legend(handles=handles, loc="lower left", ncols=6, bbox_to_anchor=(0.01, 0.01))
