"""The table of a benchmark, and models that do not belong in one table, from hand-made scores."""

from pathlib import Path

import pytest

from esl.errors import InputError
from esl.evaluation.contents import BenchmarkScores, BestSnapshot, Difference, Intervals, ModelScores
from esl.evaluation.report import decision, require_same_labels, table
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
    content = BenchmarkScores(benchmark="gta2city", models={"source": SOURCE, "esl-round1": ESL})
    assert table(content) == TABLE


BETTER = Difference(
    model="esl-round1",
    against="source",
    set="cityscapes19",
    value=0.051,
    low=0.028,
    high=0.072,
    images_to_decide=None,
)
OPEN = BETTER.model_copy(update={"value": 0.004, "low": -0.019, "high": 0.028, "images_to_decide": 320})


def test_intervals_stand_under_each_mean_and_what_the_labels_decide_below_the_table() -> None:
    miou = {"source": {"cityscapes19": [0.3, 0.45]}, "esl-round1": {"cityscapes19": [0.9, 1.0]}}
    intervals = Intervals(over="12 images", miou=miou, differences=[BETTER, OPEN.model_copy(update={"set": "other"})])
    confusion = [[1, 0, 0], [0, 1, 0], [0, 0, 0]]
    models = {
        name: own.model_copy(update={"confusion": confusion}) for name, own in (("source", SOURCE), ("esl-round1", ESL))
    }
    content = BenchmarkScores(benchmark="x", models=models, intervals=intervals)
    assert table(content).splitlines()[-7:] == [
        "mIoU cityscapes19          37.5          100.0",
        "  95 % interval    [30.0, 45.0]  [90.0, 100.0]",
        "pixel accuracy             98.8          100.0",
        "",
        "Intervals hold the true value in 95 of 100 cases, over 12 images. Differences in mIoU cityscapes19:",
        "esl-round1 is better than source: +5.1 [+2.8, +7.2], 12 images",
        "Differences leave out classes without a label in these images: train",
    ]


def test_a_decision_is_better_worse_or_how_many_images_it_would_need() -> None:
    assert decision(BETTER, 20) == "esl-round1 is better than source: +5.1 [+2.8, +7.2], 20 images"
    worse = BETTER.model_copy(update={"value": -0.034, "low": -0.05, "high": -0.01})
    assert decision(worse, 20) == "esl-round1 is worse than source: -3.4 [-5.0, -1.0], 20 images"
    open_ = "esl-round1 against source is not decided: +0.4 [-1.9, +2.8]; "
    assert decision(OPEN, 20) == f"{open_}about 320 images would decide it"
    assert decision(OPEN.model_copy(update={"images_to_decide": None}), 20) == f"{open_}they hardly differ"


def test_best_snapshots_are_below_a_line_with_how_they_were_chosen() -> None:
    models = {"source": SOURCE, "adapted": SOURCE, "esl-round1": ESL}
    chosen = {"chosen_by": "target labels", "candidates": [{"iteration": n, "miou": 0.5} for n in (500, 1000, 1500)]}
    best = {
        name: BestSnapshot.model_validate(
            chosen | {"iteration": iteration} | whole_scores(**SCORES | {"miou": {"cityscapes19": miou}})
        )
        for name, iteration, miou in (("source", 500, 0.5), ("esl-round1", 1500, 1.0))
    }
    content = BenchmarkScores(benchmark="gta2city", models=models, best_snapshots=best)
    assert table(content).splitlines()[-7:] == [
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
