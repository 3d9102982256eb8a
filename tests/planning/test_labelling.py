"""Plans with labels of target images: what reads them, what they are drawn by, and what excludes each other."""

import json

import pytest
from planning.config import read_config

from esl.errors import InputError
from tests.configs import SMALL, merged, shipped

LABELLED = {"method": "control", "round": {"labelled_batch": 2}}
TAUGHT = {"method": "esl", "after": "labelled", "round": {"labelled_batch": 2}}


def _benchmark(**values):
    return {"benchmarks": {"gta2city": values}}


WITH_LABELS = _benchmark(target={"labels": "own"}, methods={"labelled": LABELLED, "taught": TAUGHT})


def test_only_rounds_with_labelled_batches_read_labels(make_plan, job):
    plan = make_plan(WITH_LABELS)
    labels = "results/gta2city/label/labels.json"
    rounds = ("control-round1", "esl-round1", "labelled-round1", "taught-round1")
    assert [plan.inputs.labels_of_round(job(round=name)) for name in rounds] == [[], [], [labels], [labels]]
    assert plan.inputs.measured_of_round(job(round="taught-round1")) == ["results/gta2city/data/target_val.json"]
    assert plan.inputs.measured_of_round(job(round="esl-round1")) == []
    settings = json.loads(plan.params.of_round(job(round="taught-round1")))
    assert settings["target"]["labelled_batch"] == 2
    assert "labelled_batch" not in json.loads(plan.params.of_round(job(round="esl-round1")))["target"]


@pytest.mark.parametrize(
    ("draw", "manifests", "maps"),
    [
        ("random", [], []),
        ("least_kept", ["results/gta2city/bdl-round1/pseudo_labels.json"], []),
        ("expected_error", [], [f"results/gta2city/adapted/maps/{n}-of-2.h5" for n in (1, 2)]),
    ],
)
def test_a_draw_reads_what_its_rule_needs_of_the_last_round_without_labels(make_plan, job, draw, manifests, maps):
    plan = make_plan(WITH_LABELS, _benchmark(labelling={"draw": draw}))
    assert plan.inputs.drawn_by_pseudo_labels(job()) == manifests
    assert plan.inputs.drawn_by_maps(job()) == maps
    assert set(plan.roots.draw(job()).modules) == {f"esl.labelling.draws.{name}" for name in (draw, "random")}


@pytest.mark.parametrize(
    ("methods", "iterations"),
    [
        ({}, 155),
        ({"esl": {"rounds": 2}}, 310),
        ({"labelled": LABELLED, "taught": TAUGHT | {"round": {"iterations": 45, "labelled_batch": 2}}}, 200),
    ],
)
def test_the_oracle_trains_as_long_as_the_longest_variant(make_plan, job, methods, iterations):
    plan = make_plan(_benchmark(oracle=True, target={"labels": "own"}, methods=methods))
    settings = json.loads(plan.params.of_oracle(job()))
    assert settings["schedule"]["iterations"] == iterations
    assert plan.inputs.initial_weights_of_oracle(job()) == ["results/gta2city/adapted/checkpoint.pt"]
    assert settings["source_size"] == "own" and settings["target"]["target_batch"] == 8


MISTAKES = [
    (
        _benchmark(methods={"labelled": LABELLED}),
        "methods.labelled.round.labelled_batch: trains on labels of target images, but target.labels names none",
    ),
    (_benchmark(labelling={"draw": "randon"}), "labelling.draw: unknown rule 'randon'; did you mean 'random'?"),
    (
        merged(WITH_LABELS, _benchmark(labelling={"round": "taught-round1"})),
        "labelling.round: expected a round that keeps pseudo-labels and trains on no target labels (esl-round1, "
        "bdl-round1), but got 'taught-round1'",
    ),
    (
        _benchmark(labelling={"draw": "least_kept"}, methods={"esl": None, "bdl": None}),
        "labelling.draw: least_kept looks at a round without target labels, and there is none",
    ),
    (_benchmark(target={"labels": {}}), "target.labels"),
    (
        merged(WITH_LABELS, _benchmark(labelling={"train": 0})),
        "target.labels, labelling.train: `own` takes the labels of the images drawn for training, but 0 are drawn",
    ),
]


@pytest.mark.parametrize(("change", "expected"), MISTAKES)
def test_mistakes_are_named_while_planning(change, expected):
    with pytest.raises(InputError) as caught:
        read_config(merged(shipped(), SMALL, change))
    assert expected in str(caught.value)


def test_paths_of_labels_are_settings_of_their_stage_and_models_are_scored_on_them(make_plan, job, tmp_path):
    png = tmp_path / "pngs/train/aachen_000001_000019.png"
    png.parent.mkdir(parents=True)
    png.write_bytes(b"never opened by planning")
    plan = make_plan(_benchmark(target={"labels": "pngs"}, labelling={"measure": 7}))
    assert json.loads(plan.params.of_labels(job())) == {"labels": "pngs", "drawn": 7}
    assert plan.inputs.returned_labels(job()) == ["results/gta2city/label/labels.json"]
    assert make_plan(WITH_LABELS).inputs.returned_labels(job()) == []
    before = plan.params.state_of_labels(job())
    png.touch()
    assert plan.params.state_of_labels(job()) == before
    png.write_bytes(png.read_bytes() + b"x")
    assert plan.params.state_of_labels(job()) != before


def test_labels_that_are_missing_are_named_before_anything_runs(make_plan, job, capsys):
    plan = make_plan(_benchmark(target={"labels": {"train": "ten.zip"}}))
    with pytest.raises(SystemExit) as ended:
        plan.benchmarks.of(job())
    assert "benchmarks.gta2city.target.labels: ten.zip: no such file or folder of labels" in str(ended.value)


def test_the_control_of_a_round_is_the_same_training_without_pseudo_labels(make_plan, job):
    longer = {"method": "control", "after": "labelled", "round": {"labelled_batch": 2}}
    plan = make_plan(WITH_LABELS, _benchmark(methods={"longer": longer, "esl": {"rounds": 2}}))
    assert json.loads(plan.params.controls(job())) == {
        "esl-round1": "control-round1", "esl-round2": "control-round1", "bdl-round1": "control-round1",
        "labelled-round1": "control-round1", "longer-round1": "control-round1", "taught-round1": "longer-round1",
    }  # fmt: skip
