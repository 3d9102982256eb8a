"""The benchmark's miou.json and its table, from two hand-made models."""

import json
import sys
from pathlib import Path

import pytest

from esl.files import write_json
from esl.stages.summarize import main, table

SOURCE = {
    "miou": {"cityscapes19": 0.375},
    "iou": {"road": 0.5, "sky": 0.25, "train": None},
    "pixel_accuracy": 0.98765,
    "images": 12,
    "data": "miniature",
}
ESL = {**SOURCE, "miou": {"cityscapes19": 1.0}, "iou": {"road": 1.0, "sky": 1.0, "train": 0.0}, "pixel_accuracy": 1.0}

TABLE = """\
gta2city: 12 labelled pictures, data: miniature

IoU in percent     source  esl-round1
-------------------------------------
road                 50.0       100.0
sky                  25.0       100.0
train                   -         0.0
-------------------------------------
mIoU cityscapes19    37.5       100.0
pixel accuracy       98.8       100.0
"""


def test_the_table_shows_models_side_by_side_in_percent_and_a_dash_for_what_is_absent() -> None:
    assert table("gta2city", {"source": SOURCE, "esl-round1": ESL}, {}) == TABLE


def test_best_snapshots_stand_below_a_line_with_what_chose_them() -> None:
    models = {"source": SOURCE, "adapted": SOURCE, "esl-round1": ESL}
    chosen = {"chosen_by": "target labels", "candidates": [{}, {}, {}]}
    best = {
        "source": chosen | {"iteration": 500, "miou": {"cityscapes19": 0.5}},
        "esl-round1": chosen | {"iteration": 1500, "miou": {"cityscapes19": 1.0}},
    }
    assert table("gta2city", models, best).splitlines()[-7:] == [
        "mIoU cityscapes19               37.5     37.5       100.0",
        "pixel accuracy                  98.8     98.8       100.0",
        "---------------------------------------------------------",
        "best snapshot cityscapes19 *    50.0        -       100.0",
        "its iteration                    500        -        1500",
        "",
        "* the best of at most 3, chosen by target labels",
    ]


def test_the_summary_holds_every_model_whole_under_the_name_of_its_folder_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "source" / "miou.json", SOURCE)
    write_json(tmp_path / "esl-round1" / "miou.json", ESL)
    models = f"{tmp_path / 'source' / 'miou.json'} {tmp_path / 'esl-round1' / 'miou.json'}"
    flags = f"--models {models} --output {tmp_path / 'miou.json'} --table {tmp_path / 'miou.txt'} --benchmark gta2city"
    monkeypatch.setattr(sys, "argv", ["summarize", *flags.split()])
    main()
    content = json.loads((tmp_path / "miou.json").read_text())
    assert content == {"benchmark": "gta2city", "models": {"source": SOURCE, "esl-round1": ESL}}
    assert [*content["models"]] == ["source", "esl-round1"]
    assert (tmp_path / "miou.txt").read_text() == TABLE
