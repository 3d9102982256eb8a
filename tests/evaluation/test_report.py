"""The table of a benchmark, and models that do not belong in one table, from hand-made scores."""

from pathlib import Path

import pytest

from esl.errors import InputError
from esl.evaluation.contents import BestSnapshot, ModelScores
from esl.evaluation.report import require_same_labels, table
from tests.contents import whole_scores

SCORES = {
    "miou": {"cityscapes19": 0.375},
    "iou": {"road": 0.5, "sky": 0.25, "train": None},
    "pixel_accuracy": 0.98765,
    "images": 12,
    "data": "miniature",
    "labels_sha256": "ab" * 32,
}
PERFECT = {"miou": {"cityscapes19": 1.0}, "iou": {"road": 1.0, "sky": 1.0, "train": 0.0}, "pixel_accuracy": 1.0}
SOURCE = ModelScores.model_validate(whole_scores(**SCORES))
ESL = ModelScores.model_validate(whole_scores(**SCORES | PERFECT))
OLDER = ModelScores.model_validate(whole_scores(**SCORES | {"labels_sha256": "cd" * 32}))

TABLE = """\
gta2city: 12 labelled images, data: miniature

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


def test_best_snapshots_are_below_a_line_with_how_they_were_chosen() -> None:
    models = {"source": SOURCE, "adapted": SOURCE, "esl-round1": ESL}
    chosen = {"chosen_by": "target labels", "candidates": [{"iteration": n, "miou": 0.5} for n in (500, 1000, 1500)]}
    best = {
        name: BestSnapshot.model_validate(
            chosen | {"iteration": iteration} | whole_scores(**SCORES | {"miou": {"cityscapes19": miou}})
        )
        for name, iteration, miou in (("source", 500, 0.5), ("esl-round1", 1500, 1.0))
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


def test_models_scored_on_other_labels_are_refused_by_name_with_the_fix() -> None:
    source, adapted, final = (Path("results/x") / name / "miou.json" for name in ("source", "adapted", "esl-round1"))
    require_same_labels({source: SOURCE, adapted: SOURCE, final: ESL})
    message = "adapted: scored on other images or labels than esl-round1.*delete .*results/x/adapted/miou.json.*run the"
    with pytest.raises(InputError, match=message):
        require_same_labels({source: SOURCE, adapted: OLDER, final: ESL})
    with pytest.raises(InputError, match=r"^source, adapted: scored on other"):
        require_same_labels({source: SOURCE, adapted: SOURCE, final: OLDER})
