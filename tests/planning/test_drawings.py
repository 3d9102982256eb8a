"""Which files the rules of figures read, and which figures a benchmark has."""

import shutil

import pytest

from tests.configs import PROJECT

RESULTS = "results/gta2city"


def gta2city(**benchmark):
    return {"benchmarks": {"gta2city": benchmark}}


@pytest.fixture
def make_drawings(make_plan):
    """A function of changes to the config: what its figures read."""
    return lambda *changes: make_plan(*changes).drawings


def test_a_benchmark_has_a_figure_of_everything_that_it_makes(make_drawings, job):
    drawings = make_drawings(gta2city(oracle=True, methods={"bdl": None, "esl": {"rounds": 2}}))
    assert drawings.every_figure(job()) == [
        f"{RESULTS}/{figure}.png"
        for figure in (
            "iou", "training", "pseudo_labels",
            "source/confusion",
            "adapted/confusion", "adapted/risk_coverage",
            "control-round1/confusion",
            "esl-round1/gallery", "esl-round1/thresholds", "esl-round1/confusion", "esl-round1/risk_coverage",
            "esl-round2/gallery", "esl-round2/thresholds", "esl-round2/confusion",
            "oracle/confusion",
        )
    ]  # fmt: skip


def test_a_benchmark_that_keeps_nothing_has_no_figure_of_pseudo_labels(make_drawings, job):
    drawings = make_drawings(gta2city(methods={"bdl": None, "esl": None}))
    assert drawings.every_figure(job()) == [
        f"{RESULTS}/{figure}.png"
        for figure in ("iou", "training", "source/confusion", "adapted/confusion", "control-round1/confusion")
    ]


def test_a_teacher_is_drawn_with_the_rounds_that_it_teaches(make_drawings, job):
    drawings = make_drawings(gta2city(methods={"esl": {"rounds": 2}}))
    taught = {
        model: sorted(drawings.manifests_taught(job(model=model))) for model in ("adapted", "esl-round1", "source")
    }
    assert taught == {
        "adapted": [f"{RESULTS}/{round_}/pseudo_labels.json" for round_ in ("bdl-round1", "esl-round1")],
        "esl-round1": [f"{RESULTS}/esl-round2/pseudo_labels.json"],
        "source": [],
    }
    thresholds = [path.replace("pseudo_labels", "thresholds") for path in taught["adapted"]]
    assert sorted(drawings.thresholds_taught(job(model="adapted"))) == thresholds
    assert drawings.maps(job(model="adapted")) == [f"{RESULTS}/adapted/maps/{n}-of-2.h5" for n in (1, 2)]


def test_a_gallery_is_compared_with_the_round_before_of_the_same_entry(make_drawings, job):
    drawings = make_drawings(gta2city(methods={"esl": {"rounds": 2}}))
    assert drawings.manifest_before(job(round="esl-round1")) == []
    assert drawings.manifest_before(job(round="esl-round2")) == [f"{RESULTS}/esl-round1/pseudo_labels.json"]


def test_every_model_that_was_trained_has_a_log(make_drawings, job):
    models = [path.split("/")[2] for path in make_drawings(gta2city(oracle=True, methods={"bdl": None})).logs(job())]
    assert models == ["source", "control-round1", "esl-round1", "oracle"]


def test_a_viewer_compares_rounds_whose_teachers_took_no_more_rounds(make_drawings, job):
    after = {"method": "esl", "after": "bdl"}
    drawings = make_drawings(gta2city(methods={"bdl": {"rounds": 2}, "esl": {"rounds": 2}, "late": after}))

    def others(round_):
        paths = drawings.manifests_compared(job(round=round_))
        assert drawings.thresholds_compared(job(round=round_)) == [
            path.replace("pseudo_labels", "thresholds") for path in paths
        ]
        return [path.split("/")[2] for path in paths]

    assert others("esl-round1") == ["bdl-round1"] and others("bdl-round1") == ["esl-round1"]
    assert others("esl-round2") == ["esl-round1", "bdl-round2", "bdl-round1"]
    assert others("late-round1") == ["esl-round2", "bdl-round2", "esl-round1", "bdl-round1"]
    assert others("control-round1") == ["esl-round1", "bdl-round1"]


def test_an_edit_of_the_page_makes_viewers_again(make_drawings, job, monkeypatch, tmp_path):
    drawings = make_drawings()
    before = drawings.page_digest(job())
    shutil.copytree(PROJECT / "esl/viewer/page", tmp_path / "esl/viewer/page")
    monkeypatch.setattr("planning.drawings.PROJECT", tmp_path)
    assert drawings.page_digest(job()) == before
    (tmp_path / "esl/viewer/page/style.css").write_text("")
    assert drawings.page_digest(job()) != before
