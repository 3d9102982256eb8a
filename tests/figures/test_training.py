"""The figure of trainings: which panels it has, and which files it refuses."""

from pathlib import Path

import pytest

from esl.errors import InputError
from esl.figures.training import read_log, shown_panels
from esl.stages.draw_training import main

HEAD = "iteration,learning_rate,source_loss,target_loss,adaptation_loss,labelled_loss,target_labelled\n"


def _log(folder: Path, *rows: str) -> Path:
    folder.mkdir()
    (folder / "train.csv").write_text(HEAD + "".join(f"{row}\n" for row in rows))
    return folder / "train.csv"


def test_panels_are_those_that_any_training_uses(tmp_path: Path) -> None:
    source = read_log(_log(tmp_path / "source", "4,0.1,1.5,0.0,0.0,0.0,0.0", "8,0.05,1.0,0.0,0.0,0.0,0.0"))
    round_ = read_log(_log(tmp_path / "esl-round1", "4,0.1,1.5,0.25,0.0,0.0,0.5"))
    assert source["iteration"].tolist() == [4, 8] and source["source_loss"].tolist() == [1.5, 1.0]
    assert shown_panels([source]) == ["source_loss", "learning_rate"]
    assert shown_panels([source, round_]) == ["source_loss", "target_loss", "target_labelled", "learning_rate"]


def test_the_stage_writes_the_same_png_at_every_run(tmp_path: Path) -> None:
    rows = {n: (f"4,0.1,{n},0.25,0.0,0.0,0.5", f"8,0.1,{n / 2},0.2,0.0,0.0,0.5") for n in (1, 2)}
    logs = [_log(tmp_path / f"esl-round{n}", *rows[n]) for n in rows]
    for name in ("a.png", "b.png"):
        main(["--logs", *map(str, logs), "--benchmark", "gta2city", "--output", str(tmp_path / name)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_a_missing_or_foreign_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere.csv: no such file"):
        read_log(tmp_path / "nowhere.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"other.csv: not the log of a training"):
        read_log(tmp_path / "other.csv")
    (tmp_path / "cut.csv").write_text(HEAD + "4,0.1\n")
    with pytest.raises(InputError, match=r"cut.csv: not the log of a training"):
        read_log(tmp_path / "cut.csv")
