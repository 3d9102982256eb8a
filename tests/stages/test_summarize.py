"""The benchmark's miou.json and its table, from two hand-made models."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.errors import InputError
from esl.evaluation.contents import read_table
from esl.evaluation.report import table
from esl.files import read_json, write_json
from esl.stages.summarize import main
from tests.contents import confusions_of, write_scored

HALF, WHOLE = (np.array([[8, 8], [0, 0]]), np.array([[16, 0], [0, 0]]))


def _matrices(*corners: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Matrices of 19 classes whose first ones are given."""
    return [np.pad(corner, (0, 17)) for corner in corners]


def _write_models(folder: Path) -> None:
    write_scored(folder / "source", confusions_of(_matrices(HALF, WHOLE, HALF)))
    write_scored(folder / "esl-round1", confusions_of(_matrices(WHOLE, WHOLE, WHOLE)))


def _flags(folder: Path) -> list[str]:
    models = [str(folder / name / "miou.json") for name in ("source", "esl-round1")]
    outputs = ["--output", str(folder / "miou.json"), "--table", str(folder / "miou.txt")]
    return ["--models", *models, *outputs, "--benchmark", "gta2city"]


def test_the_summary_holds_every_model_whole_under_the_name_of_its_folder_in_order(tmp_path: Path) -> None:
    _write_models(tmp_path)
    main(_flags(tmp_path))
    content = json.loads((tmp_path / "miou.json").read_text())
    models = {name: read_json(tmp_path / name / "miou.json") for name in ("source", "esl-round1")}
    assert [*content["models"].items()] == [*models.items()]
    assert [*content] == ["benchmark", "models", "intervals"]
    read = read_table(tmp_path / "miou.json")
    assert (tmp_path / "miou.txt").read_text() == table(read)
    assert read.intervals is not None and read.intervals.over == "3 images"
    (difference,) = read.intervals.differences
    assert (difference.model, difference.against) == ("esl-round1", "source")
    assert difference.value == pytest.approx(1 - 32 / 48)  # of road, the only class in labels


def test_matrices_that_do_not_add_up_to_the_scores_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    _write_models(tmp_path)
    (tmp_path / "source/confusions.npz").replace(tmp_path / "esl-round1/confusions.npz")
    with pytest.raises(InputError, match=r"source/confusions.npz: no such file"):
        main(_flags(tmp_path))
    write_scored(tmp_path / "source", confusions_of(_matrices(HALF, WHOLE, HALF)))
    with pytest.raises(InputError, match=r"esl-round1/confusions.npz: does not add up to the confusion matrix"):
        main(_flags(tmp_path))
    assert not (tmp_path / "miou.json").exists() and not (tmp_path / "miou.txt").exists()


def test_a_model_or_a_snapshot_scored_on_other_labels_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    _write_models(tmp_path)
    source = tmp_path / "source" / "miou.json"
    content = read_json(source)
    other = {**content, "labels_sha256": "cd" * 32}
    write_json(source, other)
    with pytest.raises(InputError, match="source: scored on other images or labels than esl-round1"):
        main(_flags(tmp_path))
    write_json(source, content)
    best = tmp_path / "source" / "best_snapshot.json"
    candidates = [{"iteration": 1, "miou": 0.375}]
    write_json(best, {**other, "candidates": candidates, "iteration": 1, "chosen_by": "x"})
    with pytest.raises(InputError, match="source: scored on other images or labels than esl-round1"):
        main([*_flags(tmp_path), "--best", str(best)])
    assert not (tmp_path / "miou.json").exists() and not (tmp_path / "miou.txt").exists()
