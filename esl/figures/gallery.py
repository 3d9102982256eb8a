"""The gallery of a round: image, prediction, confidence and pseudo-label, and the mistakes of the pseudo-label.

The figure is one canvas of pixels, so that images are as sharp as the file allows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE
from esl.data.images import read_label
from esl.data.index import Index
from esl.errors import InputError
from esl.figures.choice import Survey
from esl.figures.style import DPI, HEAT, class_patches, drawing, heading, in_colour, web_colour
from esl.figures.text import legend_columns, short
from esl.labels.fixed_point import TOP
from esl.labels.measures.base import Measure
from esl.labels.png import png_path, train_id_table
from esl.labels.shard import open_shard
from esl.tables import percent

CELL = 276
"""Width of an image in pixels."""

GAP, LINE, TOP_MARGIN, SIDE = 8, 30, 84, 10
"""Pixels between images; for the line above a row; above the first row; at the sides."""

SKY, ORANGE, PALE, DARK, WHITE = (86, 180, 233), (213, 94, 0), (226, 226, 226), (34, 34, 34), (255, 255, 255)

AGAINST_TRUTH = {
    "kept, right": SKY,
    "kept, wrong": ORANGE,
    "ignored, right": PALE,
    "ignored, wrong": DARK,
}
AGAINST_BEFORE = {
    "gained": SKY,
    "another class": ORANGE,
    "kept as before": PALE,
    "lost": DARK,
}
"""Kinds of pixels in the two last columns -> their colour; other pixels are white."""

Pixels = NDArray[np.uint8]


class Entry(NamedTuple):
    """One row of a gallery."""

    id: str
    reasons: Sequence[str]
    cells: Mapping[str, Pixels]
    """Title of the column -> image (H, W, 3)."""
    note: str


class Round(NamedTuple):
    """The files of a round that a gallery reads."""

    name: str
    shards: Sequence[Path]  # of its teacher
    folder: Path  # of its pseudo-label PNGs
    before: Path | None  # the same of the round before
    measure: Measure

    @property
    def teacher(self) -> str:
        """The name of the folder of the model that made the maps."""
        return self.shards[0].parent.parent.name


def heat_colours(measure: Measure) -> str:
    """The colour map of a measure, dark where the teacher is confident."""
    return HEAT if measure.sure == "low" else f"{HEAT}_r"


def against_truth(label: Pixels, prediction: Pixels, truth: Pixels) -> Pixels:
    """The colour of each pixel by ``AGAINST_TRUTH``: (H, W) of trainIds each -> (H, W, 3)."""
    kept, known = label != IGNORE, truth != IGNORE
    right = np.where(kept, label, prediction) == truth
    return _painted(
        [known & kept & right, known & kept & ~right, known & ~kept & right, known & ~kept & ~right], AGAINST_TRUTH
    )


def against_before(label: Pixels, before: Pixels) -> Pixels:
    """The colour of each pixel by ``AGAINST_BEFORE``: the pseudo-labels of two rounds (H, W) -> (H, W, 3)."""
    kept, was = label != IGNORE, before != IGNORE
    same = label == before
    return _painted([kept & ~was, kept & was & ~same, kept & same, was & ~kept], AGAINST_BEFORE)


def _painted(masks: Sequence[NDArray[np.bool_]], colours: Mapping[str, tuple[int, int, int]]) -> Pixels:
    image = np.full((*masks[0].shape, 3), WHITE, dtype=np.uint8)
    for mask, colour in zip(masks, colours.values(), strict=True):
        image[mask] = colour
    return image


def gallery_entries(index: Index, round_: Round, found: Survey, reasons: Mapping[str, Sequence[str]]) -> list[Entry]:
    """The rows of the chosen images, in the order of ``reasons``.

    Raises:
        InputError: the shards lack an image or the map of the measure, or a file has changed.
    """
    rows = {}
    for path in round_.shards:
        with open_shard(path) as shard:
            for row, id_ in enumerate(shard.ids):
                if id_ in reasons:
                    maps = shard.maps(row, ("label", round_.measure.name))
                    rows[id_] = _entry(index, round_, found, id_, reasons[id_], maps)
    if missing := reasons.keys() - rows.keys():
        raise InputError(f"{round_.shards[0].parent}: no maps of {min(missing)!r}; name all shards")
    return [rows[id_] for id_ in reasons]


def _entry(
    index: Index, round_: Round, found: Survey, id_: str, reasons: Sequence[str], maps: Mapping[str, NDArray[Any]]
) -> Entry:
    sample = next(sample for sample in index.samples if sample.id == id_)
    class_set, table = index.class_set, train_id_table(index.class_set)
    prediction = maps["label"]
    size_wh = (prediction.shape[1], prediction.shape[0])
    label = read_label(png_path(round_.folder, id_), table, size_wh)
    heat = mpl.colormaps[heat_colours(round_.measure)](maps[round_.measure.name] / TOP, bytes=True)[..., :3]
    cells = {
        "target image": index.read_image(sample),
        f"prediction of {short(round_.teacher, 20)}": in_colour(prediction, class_set),
        round_.measure.name: heat,
        "pseudo-label": in_colour(label, class_set),
    }
    if sample.label is not None:
        truth = index.read_label(sample, size_wh)
        cells["truth"] = in_colour(truth, class_set)
        cells["pseudo-label against truth"] = against_truth(label, prediction, truth)
    if round_.before is not None:
        cells["against the round before"] = against_before(
            label, read_label(png_path(round_.before, id_), table, size_wh)
        )
    note = f"{percent(found.kept[id_])} kept"
    if id_ in found.accuracy:
        note += f", {percent(found.accuracy[id_])} of it right"
    return Entry(id_, reasons, cells, note)


def draw_gallery(path: Path, round_: Round, index: Index, entries: Sequence[Entry], kept: float) -> None:
    """Writes the figure of ``entries``: a row each, below a line that says why it is there; then the legends.

    ``kept`` is the share of all pixels that the round keeps.
    """
    titles = [*dict.fromkeys(title for entry in entries for title in entry.cells)]
    heights = [_cell_height(entry) for entry in entries]
    legend_rows = -(-len(index.class_set) // 10)
    bottom = 74 + 17 * legend_rows
    width = 2 * SIDE + len(titles) * CELL + (len(titles) - 1) * GAP
    height = TOP_MARGIN + sum(heights) + (LINE + GAP) * len(entries) + bottom
    canvas = np.full((height, width, 3), 255, dtype=np.uint8)
    with drawing(path, width / DPI, height / DPI) as figure:
        heading(
            figure,
            f"{round_.name}: pseudo-labels of images chosen by rule",
            f"{percent(kept)} of all pixels of {len(index.samples)} images are kept; white: no label",
        )
        for column, title in enumerate(titles):
            _write(figure, SIDE + column * (CELL + GAP), TOP_MARGIN - 12, title, fontsize=10)
        top = TOP_MARGIN
        for entry, cell_height in zip(entries, heights, strict=True):
            _write(figure, SIDE, top + LINE - 12, short("; ".join(entry.reasons), 90), fontweight="bold", fontsize=9.5)
            note = f"{short(entry.id)}: {entry.note}"
            _write(figure, SIDE + 3 * (CELL + GAP), top + LINE - 12, note, color="#333333", fontsize=9.5)
            top += LINE
            for column, title in enumerate(titles):
                if title in entry.cells:
                    smooth = title in (titles[0], round_.measure.name)
                    _paste(canvas, entry.cells[title], top, SIDE + column * (CELL + GAP), cell_height, smooth=smooth)
            top += cell_height + GAP
        figure.figimage(canvas, origin="upper", zorder=-1)
        _legends(figure, round_, index, titles, bottom)


def _cell_height(entry: Entry) -> int:
    """Pixels of the row, from the shape of its image; very tall images are shown narrower."""
    height, width = next(iter(entry.cells.values())).shape[:2]
    return int(min(round(CELL * height / width), round(1.2 * CELL)))


def _paste(canvas: Pixels, image: Pixels, top: int, left: int, height: int, *, smooth: bool) -> None:
    """Puts an image into its cell, as large as fits; colours of classes are never averaged, so not ``smooth``."""
    rows, columns = image.shape[:2]
    scale = min(CELL / columns, height / rows)
    size_wh = max(1, round(columns * scale)), max(1, round(rows * scale))
    way = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
    canvas[top : top + size_wh[1], left : left + size_wh[0]] = np.asarray(Image.fromarray(image).resize(size_wh, way))


def _write(figure: Figure, x: float, y: float, text: str, **style: Any) -> None:
    """Text whose left end is at ``x`` and whose middle at ``y`` pixels from the top left corner."""
    width, height = figure.get_size_inches() * DPI
    figure.text(x / width, 1 - y / height, text, va="center", **style)


def _legends(figure: Figure, round_: Round, index: Index, titles: Sequence[str], bottom: int) -> None:
    """At the bottom: colours of classes, the scale of the measure, and what the last columns show."""
    width, height = figure.get_size_inches() * DPI
    figure.legend(
        handles=class_patches(index.class_set),
        loc="lower left",
        ncols=legend_columns(len(index.class_set)),
        bbox_to_anchor=(0, 0),
    )
    place = titles.index(round_.measure.name)
    bar = figure.add_axes(
        ((SIDE + place * (CELL + GAP)) / width, (bottom - 22) / height, CELL / width, 10 / height), label="scale"
    )
    bar.imshow(np.linspace(0, 1, 256)[None], aspect="auto", cmap=heat_colours(round_.measure), extent=(0, 1, 0, 1))
    ends = ("sure", "unsure") if round_.measure.sure == "low" else ("unsure", "sure")
    bar.set_xticks([0, 0.5, 1], [f"0: {ends[0]}", "0.5", f"1: {ends[1]}"])
    for text, side in zip(bar.get_xticklabels(), ("left", "center", "right"), strict=True):
        text.set(horizontalalignment=side)
    bar.set_yticks([])
    bar.grid(False)
    for title, meanings in (
        ("pseudo-label against truth", AGAINST_TRUTH),
        ("against the round before", AGAINST_BEFORE),
    ):
        if title in titles:
            handles = [Patch(facecolor=web_colour(colour), label=text) for text, colour in meanings.items()]
            x = (SIDE + titles.index(title) * (CELL + GAP)) / width
            figure.legend(
                handles=handles, loc="upper left", ncols=2, bbox_to_anchor=(x, bottom / height), fontsize=7.5,
                borderpad=0, borderaxespad=0, columnspacing=0.8, handlelength=1.2, handletextpad=0.5,
            )  # fmt: skip
