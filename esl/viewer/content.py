"""The data of the page before it loads any image: names, colours, positions, sums over all images, and the list."""

import re
from collections.abc import Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from esl.figures.gallery import AGAINST_BEFORE, AGAINST_TRUTH, heat_colours
from esl.figures.style import web_colour
from esl.viewer.build import Material, Shown
from esl.viewer.levels import Scale

SEED = re.compile(r"-seed\d+$")
"""The end of a benchmark's name that is no part of its name in the config."""


def content_of(
    source: Material, images: Sequence[Shown], sums: Sequence[NDArray[np.int64]], benchmark: str, folder: str
) -> dict[str, Any]:
    """The content of the page; ``folder`` holds the scripts of its images, as seen from the page."""
    round_, class_set = source.round_, source.index.class_set
    return {
        "key": source.key,
        "folder": folder,
        "benchmark": SEED.sub("", benchmark),
        "title": f"{benchmark} / {round_.name}",
        "round": round_.name,
        "method": round_.thresholds.method,
        "teacher": source.shards[0].parent.parent.name,
        "labelled": bool(source.index.labelled),
        "classes": [
            [name, web_colour(colour)] for name, colour in zip(class_set.classes, class_set.colours, strict=True)
        ],
        "measures": [_measure(scale, counts) for scale, counts in zip(source.scales.values(), sums, strict=True)],
        "own": {
            "measure": round_.measure,
            "positions": source.positions[0],
            "counts": np.sum([image.own for image in images], axis=0).tolist(),
        },
        "others": [
            {
                "name": other.name,
                "measure": other.measure,
                "positions": source.positions[place],
                "plane": None if source.positions[place] is not None else 2 + source.drawn.index(place),
            }
            for place, other in enumerate(source.others, start=1)
        ],
        "colours": {
            "truth": {name: web_colour(colour) for name, colour in AGAINST_TRUTH.items()},
            "other": {name: web_colour(colour) for name, colour in AGAINST_BEFORE.items()},
        },
        "images": [[image.id, image.kept, image.accuracy, _mask(image.classes)] for image in images],
    }


def _measure(scale: Scale, counts: NDArray[np.int64]) -> dict[str, Any]:
    """Thresholds and colours of every position, and the counts (C, L, 3) of all images, flat."""
    values = np.array(scale.thresholds)
    colours = mpl.colormaps[heat_colours(scale.measure)](values, bytes=True)[:, :3].tolist()
    return {
        "name": scale.measure.name,
        "sure": scale.measure.sure,
        "thresholds": scale.thresholds,
        "colours": [web_colour((red, green, blue)) for red, green, blue in colours],
        "counts": counts.ravel().tolist(),
    }


def _mask(classes: Sequence[int]) -> str:
    """A set of classes as a hexadecimal number.

    >>> _mask([0, 4])
    '11'
    """
    return f"{sum(1 << class_ for class_ in classes):x}"
