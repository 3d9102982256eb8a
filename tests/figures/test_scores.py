"""The figures of scores: tables of IoU and confusion against the numbers in miou.json."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from esl.classes import ClassSet
from esl.data.class_sets import CLASS_SETS
from esl.evaluation.contents import ModelScores
from esl.evaluation.scores import scores
from esl.figures.confusion import row_shares
from esl.figures.iou import score_table
from esl.figures.style import drawing, panels
from esl.figures.table import Shades, Table, draw_table
from esl.figures.text import short
from esl.files import write_json
from esl.stages import draw_confusion, draw_iou
from tests.contents import whole_scores, whole_table
from tests.figures.test_style import HOSTILE


def _scores(class_set: ClassSet, seed: int) -> dict[str, Any]:
    """Scores of a random confusion matrix in which the last class is in no label and in no prediction."""
    rows = len(class_set) + len(class_set.foreign)
    confusion = np.random.default_rng(seed).integers(0, 1000, (rows, len(class_set)))
    confusion[len(class_set) - 1], confusion[:, -1] = 0, 0
    return whole_scores(**scores(confusion, class_set).to_json(), images=3, unlabelled=0)


def test_the_table_holds_the_percentages_of_every_model() -> None:
    models = {name: _scores(CLASS_SETS["synthia16"], seed) for seed, name in enumerate(("source", "esl-round1"))}
    read = {name: ModelScores.model_validate(model) for name, model in models.items()}
    rows, values = score_table(read)
    assert rows[1:4] == ["mIoU synthia13", "mIoU synthia16+foreign", "mIoU synthia13+foreign"] and len(rows) == 4 + 16
    for column, model in enumerate(models.values()):
        assert values[0, column] == 100 * model["miou"]["synthia16"]
        expected = [np.nan if value is None else 100 * value for value in model["iou"].values()]
        assert np.array_equal(values[4:, column], expected, equal_nan=True)
    assert np.isnan(values[-1]).all()


def test_the_rows_of_a_confusion_sum_to_100_percent() -> None:
    confusion = np.array(_scores(CLASS_SETS["cityscapes19"], 0)["confusion"])
    shares = row_shares(confusion)
    assert shares[:-1].sum(axis=1) == pytest.approx(100)
    assert np.isnan(shares[-1]).all()
    assert shares[2, 3] == 100 * confusion[2, 3] / confusion[2].sum()


def test_a_cell_shows_its_number_and_never_minus_zero(tmp_path: Path) -> None:
    with drawing(tmp_path / "a.png", 4, 3) as figure:
        (cell,) = panels(figure, 1, 1, margins=(1, 1, 1, 1), gaps=(0, 0))[0]
        values = np.array([[1.26, -0.04], [np.nan, -3.0]])
        from matplotlib.colors import Normalize

        draw_table(cell, Table(values, ["a", "b"], ["c", "d"]), Shades(Normalize(-5, 5), "PuOr"), signed=True)
        assert [text.get_text() for text in cell.texts] == ["+1.3", "+0.0", "-", "-3.0"]


def _intervals(models: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Intervals of a point to each side of every mean, and those of the differences to the first model."""
    first, *others = models
    means = {
        name: {set_: [value - 0.01, value + 0.01] for set_, value in own["miou"].items()}
        for name, own in models.items()
    }
    differences = [
        {"model": name, "against": first, "set": set_, "value": 0.0, "low": -0.01, "high": 0.01, "images_to_decide": 9}
        for name in others
        for set_ in models[first]["miou"]
    ]
    return {"over": "3 sequences", "miou": means, "differences": differences}


def _files(tmp_path: Path, models: dict[str, dict[str, Any]], *, intervals: bool = False) -> Path:
    for name, model in models.items():
        write_json(tmp_path / name / "miou.json", model)
    more = {"intervals": _intervals(models)} if intervals else {}
    write_json(tmp_path / "miou.json", whole_table(models, "small") | more)
    return tmp_path / "miou.json"


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The texts of every figure that is saved."""
    saved: list[set[str]] = []
    savefig = Figure.savefig

    def record(figure: Figure, *arguments: Any, **options: Any) -> None:
        saved.append({text.get_text() for text in figure.findobj(Text)})
        savefig(figure, *arguments, **options)

    monkeypatch.setattr(Figure, "savefig", record)
    return saved


def _draw(tmp_path: Path, name: str) -> list[bytes]:
    """The bytes of both figures."""
    draw_iou.main(["--scores", str(tmp_path / "miou.json"), "--output", str(tmp_path / f"iou{name}.png")])
    flags = ["--scores", str(tmp_path / "source/miou.json"), "--output", str(tmp_path / f"confusion{name}.png")]
    draw_confusion.main(flags)
    return [(tmp_path / f"{figure}{name}.png").read_bytes() for figure in ("iou", "confusion")]


@pytest.mark.parametrize("intervals", [False, True])
@pytest.mark.parametrize("number", [1, 2, 12])
def test_any_number_of_models_is_drawn_and_the_same_twice(tmp_path: Path, number: int, intervals: bool) -> None:
    names = ["source", *(f"esl-round{n + 1}" for n in range(number - 1))]
    models = {name: _scores(CLASS_SETS["cityscapes19"], seed) for seed, name in enumerate(names)}
    _files(tmp_path, models, intervals=intervals)
    assert _draw(tmp_path, "1") == _draw(tmp_path, "2")


def test_bars_reach_from_end_to_end_of_their_intervals_below_the_columns_of_their_models(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, texts: list[set[str]]
) -> None:
    models = {name: _scores(CLASS_SETS["synthia16"], seed) for seed, name in enumerate(("source", "esl-round1"))}
    bars: list[list[list[float]]] = []
    vlines = Axes.vlines

    def record(cell: Axes, places: Any, low: Any, high: Any, **options: Any) -> Any:
        bars.append([[*map(float, ends)] for ends in zip(places, low, high, strict=True)])
        return vlines(cell, places, low, high, **options)

    monkeypatch.setattr(Axes, "vlines", record)
    draw_iou.main(["--scores", str(_files(tmp_path, models, intervals=True)), "--output", str(tmp_path / "iou.png")])
    means = [100 * model["miou"]["synthia16"] for model in models.values()]
    expected = [[place, mean - 1, mean + 1] for place, mean in enumerate(means)]
    assert np.allclose(bars[0], expected) and np.allclose(bars[1], [[0, -1, 1]])
    assert "3 validation images; bars are 95 % intervals of mIoU over 3 sequences" in texts[0]


def test_hostile_names_of_classes_stand_in_both_figures_as_they_are(tmp_path: Path, texts: list[set[str]]) -> None:
    classes = tuple(HOSTILE)
    hostile = ClassSet("$own$", classes, tuple((n, n, n) for n in range(len(classes))), tuple((c,) for c in classes))
    _files(tmp_path, {"source": _scores(hostile, 0), "esl-round1": _scores(hostile, 1)})
    _draw(tmp_path, "")
    assert len(texts) == 2 and all({short(name, 26) for name in classes} <= shown for shown in texts)


def test_without_labels_both_figures_say_so(tmp_path: Path, texts: list[set[str]]) -> None:
    nothing = scores(np.zeros((19, 19), np.int64), CLASS_SETS["cityscapes19"])
    _files(tmp_path, {"source": whole_scores(**nothing.to_json(), images=0, unlabelled=7)})
    _draw(tmp_path, "")
    expected = "None of the 7 validation images has a label to score against."
    assert len(texts) == 2 and all(any(expected in " ".join(text.split()) for text in shown) for shown in texts)
