"""The figure of a model's confusion: the classes that the pixels of each true class are predicted as."""

from pathlib import Path

import numpy as np
from matplotlib.colors import PowerNorm
from numpy.typing import NDArray

from esl.evaluation.contents import ModelScores
from esl.figures.style import SHADES, draw_statement, drawing, heading, panels
from esl.figures.table import Shades, Table, draw_table, name_height, name_width
from esl.figures.text import short
from esl.tables import percent

GAMMA = 0.5
"""Exponent of the colours: mistakes of a few percent stay visible next to a diagonal of 90."""


def row_shares(confusion: NDArray[np.int64]) -> NDArray[np.float64]:
    """The rows (truth) of a confusion matrix (C, C) in percent of their sum; NaN in a row without pixels.

    >>> row_shares(np.array([[3, 1], [0, 0]])).tolist()
    [[75.0, 25.0], [nan, nan]]
    """
    pixels = confusion.sum(axis=1, keepdims=True)
    shares: NDArray[np.float64] = np.where(pixels > 0, 100 * confusion / np.maximum(pixels, 1), np.nan)
    return shares


def draw_confusion(path: Path, model: str, scores: ModelScores) -> None:
    """Writes the figure of a model's miou.json: rows are true classes, columns predicted ones, each row sums to 100."""
    title = f"{model}: what the pixels of each true class are predicted as"
    if not scores.images:
        draw_statement(path, title, f"None of the {scores.unlabelled} validation images has a label to score against.")
        return
    confusion = np.array(scores.confusion, dtype=np.int64)
    names = [short(name, 26) for name in scores.iou]
    shares = row_shares(confusion)
    left, top = name_width(names) + 0.4, name_height(names) + 0.75
    with drawing(path, max(left + 0.37 * len(names) + 0.8, 6.5), top + 0.27 * len(names) + 0.15) as figure:
        accuracy = percent(scores.pixel_accuracy)
        heading(figure, title, f"in percent of each row; {scores.images} images, {accuracy} of their pixels right")
        figure.text(left / figure.get_figwidth(), 1 - 0.58 / figure.get_figheight(), "predicted class", va="center")
        (cell,) = panels(figure, 1, 1, margins=(left, 0.8, top, 0.15), gaps=(0, 0))[0]
        draw_table(cell, Table(shares, names, names), Shades(PowerNorm(GAMMA, 0, 100), SHADES), digits=0, fontsize=7)
        for text in cell.texts:  # a zero says nothing, and hides what does
            if text.get_text() == "0":
                text.set_text("")
        cell.set_ylabel("true class")
