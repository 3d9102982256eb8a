"""What all figures have in common: bytes that depend on nothing but their content, and names shown as they are."""

import struct
import subprocess
import sys
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image

from esl.figures.style import COLOURS, draw_statement, drawing, legend_text, line_style, panels
from esl.figures.text import short

HOSTILE = ["$\\frac{1", "<script>alert(1)</script>", "_hidden", "a\"b'c", "a\nb", "街 ünïcode", "x" * 300]


def _chunks(path: Path) -> list[bytes]:
    """The types of the chunks of a PNG (PNG specification, 5.3)."""
    content, place, kinds = path.read_bytes(), 8, []
    while place < len(content):
        (length,) = struct.unpack(">I", content[place : place + 4])
        kinds.append(content[place + 4 : place + 8])
        place += length + 12
    return kinds


def test_a_figure_has_no_date_and_no_version_and_ignores_the_readers_style(tmp_path: Path) -> None:
    draw_statement(tmp_path / "a.png", "Title", "Nothing to draw.")
    with mpl.rc_context({"font.size": 30, "savefig.dpi": 30, "axes.facecolor": "black", "text.color": "red"}):
        draw_statement(tmp_path / "b.png", "Title", "Nothing to draw.")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    assert {*_chunks(tmp_path / "a.png")} == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}
    assert {path.name for path in tmp_path.iterdir()} == {"a.png", "b.png"}


def test_a_drawing_that_fails_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), drawing(tmp_path / "a.png", 2, 2):
        raise ZeroDivisionError
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_drawn_as_text(tmp_path: Path, name: str) -> None:
    """Matplotlib would typeset dollar signs as mathematics, or fail at them, and leave out `_hidden`."""
    with drawing(tmp_path / "a.png", 3, 2) as figure:
        (axes,) = panels(figure, 1, 1, margins=(0.5, 0.1, 0.5, 0.5), gaps=(0, 0))[0]
        (line,) = axes.plot([0, 1], label=legend_text(name))
        title = axes.set_title(short(name))
        legend = axes.legend(handles=[line])
    assert title.get_text() == short(name) and len(short(name)) <= 44
    assert [text.get_text().strip() for text in legend.get_texts()] == [short(name)]
    assert "\n" not in short(name)


def test_panels_stand_where_their_inches_say(tmp_path: Path) -> None:
    with drawing(tmp_path / "a.png", 10, 5) as figure:
        axes = panels(figure, 2, 3, margins=(1, 0.5, 0.75, 0.25), gaps=(0.5, 1))
        first, last = axes[0, 0].get_position(), axes[1, 2].get_position()
    assert (first.x0 * 10, 5 - first.y1 * 5) == pytest.approx((1, 0.75))
    assert (10 - last.x1 * 10, last.y0 * 5) == pytest.approx((0.5, 0.25))
    assert (axes[0, 1].get_position().x0 - first.x1) * 10 == pytest.approx(0.5)
    assert (first.y0 - last.y1) * 5 == pytest.approx(1)


def test_lines_differ_in_colour_or_marker_and_colours_differ_in_luminance() -> None:
    styles = {(line_style(n)["color"], line_style(n)["marker"]) for n in range(63)}
    assert len(styles) == 63
    rgb = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS]) / 255
    luminance = np.sort(rgb @ [0.2126, 0.7152, 0.0722])
    assert luminance[-1] < 0.7, "too pale for white paper"
    assert (luminance[1:] - luminance[:-1]).max() < 0.4


def test_a_statement_of_any_length_fits_its_figure(tmp_path: Path) -> None:
    draw_statement(tmp_path / "a.png", "Title", "word " * 100)
    with Image.open(tmp_path / "a.png") as image:
        pixels = np.asarray(image.convert("L"))
    assert (pixels[:3] == 255).all() and (pixels[-3:] == 255).all() and (pixels[:, -3:] == 255).all()
    assert (pixels < 100).any()


@pytest.mark.parametrize("name", ["gallery", "risk_coverage", "thresholds", "iou", "training", "confusion"])
def test_drawing_starts_without_pytorch_and_without_pyplot(name: str) -> None:
    program = f"import sys, esl.stages.draw_{name}; sys.exit(bool({{'torch', 'matplotlib.pyplot'}} & {{*sys.modules}}))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
