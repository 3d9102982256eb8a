"""The page that lists a benchmark's figures, as Markdown."""

from collections.abc import Sequence
from pathlib import PurePath

WHAT = {
    "iou": "IoU of every class and model, and the differences to the source model",
    "training": "losses and learning rates of every training",
    "pseudo_labels": "pseudo-labels of every round, on images spread over the target training set",
    "confusion": "the classes that the pixels of each true class are predicted as",
    "risk_coverage": "how often predictions are wrong, by the share of the most confident ones kept",
    "thresholds": "the teacher's confidence in each class, and the pixels kept",
    "gallery": "images chosen by rule, with prediction, measure, pseudo-label and truth",
}
"""Name of a figure's file -> its caption."""


def figure_page(benchmark: str, figures: Sequence[PurePath]) -> str:
    """The page of the ``figures``, by paths relative to it: figures of the benchmark first, then folder by folder.

    >>> print(figure_page("small", [PurePath("iou.png"), PurePath("source/confusion.png")]).partition("![")[0])
    # Figures of small
    <BLANKLINE>
    ## All models
    <BLANKLINE>
    <BLANKLINE>
    """
    lines = [f"# Figures of {benchmark}"]
    for folder in dict.fromkeys(figure.parent for figure in figures):
        lines.append(f"## {'All models' if folder == PurePath() else folder}")
        for figure in figures:
            if figure.parent == folder:
                lines.append(f"![{figure.stem}]({figure.as_posix()})\n\n`{figure}`: {WHAT[figure.stem]}")
    return "\n\n".join(lines) + "\n"
