"""The overlays on CamVid: which frames each of their parts reads; a CPU and rendered scenes are all else they need."""

import json

import pytest

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.splits import listing_of
from tests.configs import shipped
from tests.data.dataset_files import image_file

DAY = {"train/0006R0_f00930", "train/0016E5_00390", "val/0016E5_07959", "test/Seq05VD_f00000"}
PARTS = {
    "streets2camvid": {
        "target_train": {*DAY, "train/0001TP_006690", "test/0001TP_008580"} - {"train/0006R0_f00930"},
        "target_val": {"train/0006R0_f00930"},
    },
    "day2dusk": {
        "source": DAY,
        "target_train": {"train/0001TP_006690"},
        "target_val": {"test/0001TP_008580"},
    },
}


def small(name):
    """The change to a network that needs no optional package."""
    return {"benchmarks": {name: {"network": "small", "pretrained": None}}}


@pytest.mark.parametrize("name", PARTS)
def test_every_part_reads_the_sequences_that_the_overlay_says(tmp_path, make_plan, job, name):
    for frame in {*DAY, "train/0001TP_006690", "test/0001TP_008580"}:
        image_file(tmp_path / f"data/camvid/{frame}.png")
    plan = make_plan(shipped(name), small(name))
    for part, frames in PARTS[name].items():
        settings = plan.benchmarks.index_settings(name, part)
        assert settings.class_set == CLASS_SETS["camvid11"]
        listing = listing_of(format_named("camvid"), tmp_path / settings.root, settings.split)
        assert {
            sample.image.relative_to(tmp_path / "data/camvid").with_suffix("").as_posix() for sample in listing.samples
        } == frames


def test_rendered_streets_teach_models_that_are_scored_on_photographs(tmp_path, make_plan, job):
    (tmp_path / "data/camvid").mkdir(parents=True)
    plan = make_plan(shipped("streets2camvid"), small("streets2camvid"))
    assert plan.inputs.rendering(job("streets2camvid-seed7", part="source")) == ["data/miniature/7/varied.json"]
    assert plan.inputs.rendering(job("streets2camvid", part="target_val")) == []
    assert "data" not in json.loads(plan.params.of_evaluation(job("streets2camvid", model="source")))
    assert plan.needs.gpus(job("streets2camvid")) == 0
