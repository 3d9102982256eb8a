"""The benchmark's miou.json and its table, from two hand-made models."""

import json
from pathlib import Path

import pytest

from esl.errors import InputError
from esl.evaluation.contents import read_scores
from esl.evaluation.report import table
from esl.files import write_json
from esl.stages.summarize import main
from tests.contents import whole_scores

SOURCE = whole_scores(
    miou={"cityscapes19": 0.375},
    iou={"road": 0.5, "sky": 0.25, "train": None},
    pixel_accuracy=0.98765,
    images=12,
    data="miniature",
    labels_sha256="ab" * 32,
)
ESL = {**SOURCE, "miou": {"cityscapes19": 1.0}, "iou": {"road": 1.0, "sky": 1.0, "train": 0.0}, "pixel_accuracy": 1.0}


def _flags(folder: Path) -> list[str]:
    models = [str(folder / name / "miou.json") for name in ("source", "esl-round1")]
    outputs = ["--output", str(folder / "miou.json"), "--table", str(folder / "miou.txt")]
    return ["--models", *models, *outputs, "--benchmark", "gta2city"]


def test_the_summary_holds_every_model_whole_under_the_name_of_its_folder_in_order(tmp_path: Path) -> None:
    write_json(tmp_path / "source" / "miou.json", SOURCE)
    write_json(tmp_path / "esl-round1" / "miou.json", ESL)
    main(_flags(tmp_path))
    content = json.loads((tmp_path / "miou.json").read_text())
    models = {"source": SOURCE, "esl-round1": ESL}
    assert content == {"benchmark": "gta2city", "models": models}
    assert [*content["models"]] == ["source", "esl-round1"]
    read = {name: read_scores(tmp_path / name / "miou.json") for name in models}
    assert (tmp_path / "miou.txt").read_text() == table("gta2city", read, {})


def test_a_model_or_a_snapshot_scored_on_other_labels_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    other = {**SOURCE, "labels_sha256": "cd" * 32}
    write_json(tmp_path / "source" / "miou.json", other)
    write_json(tmp_path / "esl-round1" / "miou.json", ESL)
    with pytest.raises(InputError, match="source: scored on other images or labels than esl-round1"):
        main(_flags(tmp_path))
    write_json(tmp_path / "source" / "miou.json", SOURCE)
    best = tmp_path / "source" / "best_snapshot.json"
    candidates = [{"iteration": 1, "miou": 0.375}]
    write_json(best, {**other, "candidates": candidates, "iteration": 1, "chosen_by": "x"})
    with pytest.raises(InputError, match="source: scored on other images or labels than esl-round1"):
        main([*_flags(tmp_path), "--best", str(best)])
    assert not (tmp_path / "miou.json").exists() and not (tmp_path / "miou.txt").exists()
