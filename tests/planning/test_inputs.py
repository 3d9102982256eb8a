"""From wildcards to paths and settings."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from esl.labels.measures.registry import MEASURES
from tests.configs import ROOTS, shipped

WEIGHTS = "weights/DeepLab_resnet_pretrained_imagenet.pth"


def gta2city(**benchmark):
    return {"benchmarks": {"gta2city": benchmark}}


def put_in_place(name):
    """Empty folders and an empty file where the data and weights of a full-scale benchmark are expected."""
    for root in ROOTS[name]:
        Path("data", root).mkdir(parents=True)
    Path(WEIGHTS).parent.mkdir()
    Path(WEIGHTS).touch()


def settings_of_training(plan, model, benchmark="gta2city"):
    """The settings of a training, as its rule has them."""
    if model in ("source", "oracle"):
        return getattr(plan.params, f"of_{model}")(SimpleNamespace(benchmark=benchmark))
    if "-round" in model:
        return plan.params.of_round(SimpleNamespace(benchmark=benchmark, round=model))
    return plan.params.of_adapted(SimpleNamespace(benchmark=benchmark, adaptation=model))


# --------------------------------------------------------------------------------------------------------- models


def test_models_are_in_the_order_of_the_summary(make_plan, job):
    plan = make_plan(gta2city(oracle=True, methods={"esl": {"rounds": 2}}))
    assert plan.benchmarks.models(job()) == [
        "source", "adapted", "control-round1", "esl-round1", "esl-round2", "bdl-round1", "oracle",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("adaptation", "first"), [("none", "source"), ("abn", "adapted"), ("minent", "minent"), ("advent", "advent")]
)
def test_the_first_round_is_taught_by_the_model_that_the_config_asks_for(make_plan, job, adaptation, first):
    plan = make_plan(gta2city(training={"source": {"adaptation": adaptation}}))
    maps = [f"results/gta2city/{first}/maps/{n}-of-2.h5" for n in (1, 2)]
    assert plan.inputs.teacher_maps(job(round="esl-round1")) == maps
    assert plan.inputs.initial_weights(job(round="esl-round2")) == [f"results/gta2city/{first}/checkpoint.pt"]
    assert (first in plan.benchmarks.models(job())) and ("adapted" in plan.benchmarks.models(job())) == (
        adaptation == "abn"
    )


def test_a_shard_has_at_most_the_images_that_the_config_asks_for(make_plan, job):
    plan = make_plan(gta2city(inference={"images_per_shard": 250}))  # of 600
    assert plan.inputs.shards(job()) == ["1-of-3.h5", "2-of-3.h5", "3-of-3.h5"]
    for number in range(5):
        Path("photos").mkdir(exist_ok=True)
        Path(f"photos/{number}.jpg").touch()
    photos = {"dataset": "folder", "root": "photos", "train_split": "all"}
    for most, names in ((2, ["1-of-3.h5", "2-of-3.h5", "3-of-3.h5"]), (5, ["1-of-1.h5"])):
        plan = make_plan(gta2city(target=photos, inference={"images_per_shard": most}))
        assert plan.inputs.shards(job()) == names
    assert plan.inputs.teacher_maps(job(round="esl-round1")) == ["results/gta2city/adapted/maps/1-of-1.h5"]


def test_pseudo_labels_are_written_by_a_job_for_each_shard_of_a_large_set_only(make_plan, job):
    plan = make_plan(gta2city(inference={"images_per_shard": 300}))
    for name in ("gta2city", "gta2city-seed3"):
        assert re.fullmatch(plan.benchmarks.pattern_labelled_by_shard, name)
        assert not re.fullmatch(plan.benchmarks.pattern_labelled_at_once, name)
    assert re.fullmatch(plan.benchmarks.pattern_labelled_at_once, "synthia2city")
    assert not re.fullmatch(plan.benchmarks.pattern_labelled_by_shard, "synthia2city")
    esl = job(round="esl-round2", shard="2-of-2")
    assert plan.inputs.labelled_shards(esl) == [f"results/gta2city/esl-round2/labelled/{n}-of-2.json" for n in (1, 2)]
    assert (
        plan.inputs.teacher_shard(esl)
        == plan.inputs.teacher_maps(esl)[1]
        == "results/gta2city/esl-round1/maps/2-of-2.h5"
    )
    assert plan.roots.method(esl).modules == ("esl.labels.methods.esl", "esl.labels.measures.entropy")
    assert plan.params.labelled_flag(esl) == "--labelled results/gta2city/esl-round2/labelled"
    assert make_plan(gta2city(inference={"shards": 2})).params.labelled_flag(esl) == ""


def test_later_rounds_are_taught_by_the_round_before(make_plan, job):
    plan = make_plan(gta2city(methods={"esl": {"rounds": 3}}, inference={"shards": 3}))
    assert plan.inputs.teacher_maps(job(round="esl-round3")) == [
        f"results/gta2city/esl-round2/maps/{n}-of-3.h5" for n in (1, 2, 3)
    ]
    assert plan.inputs.previous_thresholds(job(round="esl-round3")) == ["results/gta2city/esl-round2/thresholds.json"]
    assert plan.inputs.previous_thresholds(job(round="esl-round1")) == []


def test_rounds_that_keep_nothing_read_the_maps_of_the_first_teacher(make_plan, job):
    """Nothing is inferred for them, whatever they start from."""
    plan = make_plan(gta2city(methods={"control": {"rounds": 2}}, training={"round": {"initial": "teacher"}}))
    assert plan.inputs.teacher_maps(job(round="control-round2")) == plan.inputs.teacher_maps(
        job(round="control-round1")
    )
    assert plan.inputs.initial_weights(job(round="control-round2")) == ["results/gta2city/control-round1/checkpoint.pt"]


@pytest.mark.parametrize(("initial", "start"), [("source", "adapted"), ("teacher", "esl-round1")])
def test_a_round_starts_from_what_the_config_asks_for(make_plan, job, initial, start):
    plan = make_plan(gta2city(training={"round": {"initial": initial}}))
    assert plan.inputs.initial_weights(job(round="esl-round2")) == [f"results/gta2city/{start}/checkpoint.pt"]
    assert plan.inputs.pretrained_weights_of_rounds(job(round="esl-round2")) == []


def test_rounds_from_published_weights_name_no_model(make_plan, job):
    put_in_place("gta2city")
    plan = make_plan(shipped("gta2city"))
    assert plan.inputs.initial_weights(job(round="esl-round1")) == []
    assert plan.inputs.pretrained_weights_of_rounds(job(round="esl-round1")) == [WEIGHTS]


def test_measures_are_compared_over_plain_images_and_over_views(make_plan, job):
    plan = make_plan()
    folder = "results/gta2city/adapted/confidence"
    maps = [f"{folder}/{views}/{shard}-of-2.h5" for views in ("plain", "averaged") for shard in (1, 2)]
    assert plan.inputs.compared_maps(job(model="adapted")) == maps
    settings = {
        views: json.loads(plan.params.of_compared_inference(job(model="adapted", views=views)))
        for views in ("plain", "averaged")
    }
    assert settings["plain"].get("views", []) == [] and settings["averaged"]["views"] == ["flip", 0.75, 1.25]
    assert settings["plain"]["maps"] == settings["averaged"]["maps"] == [*MEASURES]
    own = make_plan(gta2city(inference={"views": ["flip"]}))
    assert json.loads(own.params.of_compared_inference(job(model="adapted", views="averaged")))["views"] == ["flip"]
    assert "views" not in json.loads(own.params.of_compared_inference(job(model="adapted", views="plain")))
    margin = "esl.labels.measures.margin"
    assert margin in plan.roots.every_measure(job()).modules and margin not in plan.roots.stored_measures(job()).modules


def test_sliding_windows_are_for_maps_and_for_evaluation(make_plan, job):
    for plan, expected in ((make_plan(), None), (make_plan(gta2city(inference={"window": "128x160"})), "128x160")):
        for settings in (plan.params.of_inference, plan.params.of_compared_inference, plan.params.of_evaluation):
            assert json.loads(settings(job(model="adapted", views="plain"))).get("window") == expected


def test_an_ignored_gate_is_no_input(make_plan, job):
    assert make_plan().inputs.gate(job(round="esl-round1")) == ["results/gta2city/esl-round1/gate.json"]
    assert make_plan(gta2city(gate={"action": "ignore"})).inputs.gate(job(round="esl-round1")) == []


def test_a_seed_in_the_name_sets_training_and_rendering(make_plan, job):
    plan = make_plan()
    wildcards = job("gta2city-seed101", part="target_train")
    assert plan.inputs.rendering(wildcards) == ["data/miniature/101/cityscapes.json"]
    assert json.loads(settings_of_training(plan, "source", wildcards.benchmark))["seed"] == 101
    assert plan.inputs.scores_of_seeds(job())[0] == "results/gta2city-seed101/miou.json"
    assert plan.inputs.manifests_of_seeds(job())[-1] == "results/gta2city-seed103/bdl-round1/pseudo_labels.json"
    assert len(plan.inputs.manifests_of_seeds(job())) == 3 * 2


def test_only_models_that_were_trained_have_a_best_snapshot(make_plan, job):
    plan = make_plan(gta2city(training={"snapshot_every": 5}))
    chosen = [path.split("/")[2] for path in plan.inputs.best_snapshots(job())]
    assert chosen == ["source", "control-round1", "esl-round1", "bdl-round1"]
    assert make_plan().inputs.best_snapshots(job()) == []


def test_drawn_predictions_are_those_of_every_model_and_of_the_last_rounds(make_plan, job):
    plan = make_plan(gta2city(oracle=True, methods={"bdl": None, "esl": {"rounds": 3}}))
    models = ["source", "adapted", "control-round1", "esl-round3", "oracle"]
    assert plan.inputs.predictions(job()) == [f"results/gta2city/{model}/predictions.json" for model in models]


def test_figures_show_every_round_that_keeps_anything(make_plan, job):
    assert make_plan().inputs.manifests(job()) == [
        "results/gta2city/esl-round1/pseudo_labels.json",
        "results/gta2city/bdl-round1/pseudo_labels.json",
    ]


def test_a_benchmark_without_pseudo_labels_asks_for_no_figure(make_plan, job):
    plan = make_plan(gta2city(methods={"bdl": None, "esl": None}))
    assert "results/gta2city/pseudo_labels.png" not in plan.inputs.default_targets
    assert "results/gta2vistas/pseudo_labels.png" in plan.inputs.default_targets
    with pytest.raises(SystemExit, match="no method keeps pseudo-labels"):
        plan.inputs.manifests(job())


# ------------------------------------------------------------------------------------------------------- settings


def test_settings_hold_only_what_differs_from_the_defaults(make_plan, job):
    plan = make_plan(gta2city(training={"flip": 0.5, "momentum": 0.9}))
    settings = json.loads(settings_of_training(plan, "source"))
    assert "flip" not in settings["augmentation"] and "momentum" not in settings.get("optimization", {})
    assert settings["compute"] == {"accelerator": "cpu"}


def test_flip_reaches_every_stage_that_augments(make_plan, job):
    plan = make_plan(gta2city(training={"flip": 0}))
    for settings in (
        settings_of_training(plan, "source"),
        settings_of_training(plan, "oracle"),
        settings_of_training(plan, "esl-round1"),
        plan.params.of_batch_norm(job()),
    ):
        assert json.loads(settings)["augmentation"]["flip"] == 0


def test_a_term_and_its_settings_go_to_the_trainings_that_use_it(make_plan, job):
    terms = {"advent": {"weight": 0.01}, "minent": {"weight": 0.02}}
    training = {"terms": terms, "source": {"adaptation": "advent"}, "round": {"adaptation": "minent"}}
    plan = make_plan(gta2city(training={**training, "crop": "128x64"}))
    assert "target" not in json.loads(settings_of_training(plan, "source"))
    adapted = json.loads(settings_of_training(plan, "advent"))["target"]
    assert (adapted["term"], adapted["term_settings"]) == ("advent", {"weight": 0.01})
    round_ = json.loads(settings_of_training(plan, "esl-round1"))["target"]
    assert (round_["term"], round_["term_settings"]) == ("minent", {"weight": 0.02})


def test_a_method_gets_its_round_and_its_own_settings(make_plan, job):
    plan = make_plan(gta2city(methods={"cbst": {"rounds": 3, "portion_step": 0.1}}))
    settings = json.loads(plan.params.of_thresholds(job(round="cbst-round3")))
    assert settings == {"method": "cbst", "round": 3, "parameters": {"portion_step": 0.1}}


def test_results_on_the_miniature_say_so(make_plan, job):
    assert json.loads(make_plan().params.of_evaluation(job(model="source")))["data"] == "miniature"
    Path("city").mkdir()
    elsewhere = make_plan(gta2city(target={"root": "city"}))
    assert "data" not in json.loads(elsewhere.params.of_evaluation(job(model="source")))


def test_an_index_gets_the_declaration_of_its_format_and_the_whole_class_set(make_plan, job):
    declared = {"images": "frames/{split}/{frame}.jpg"}
    change = {"datasets": {"camera": declared}, "class_sets": {"two": {"road": {}, "sky": {}}}}
    Path("city").mkdir()
    target = {"dataset": "camera", "root": "city", "train_split": "lists/day.txt"}
    Path("city/lists").mkdir()
    Path("city/lists/day.txt").touch()
    plan = make_plan(change, gta2city(class_set="two", target=target))
    settings = json.loads(plan.params.of_index(job(part="target_train")))
    assert settings["declaration"] == declared
    assert settings["split"] == "lists/day.txt"
    assert settings["class_set"]["name"] == "two" and settings["class_set"]["classes"] == ["road", "sky"]
    source = json.loads(plan.params.of_index(job(part="source")))
    assert "declaration" not in source


# ----------------------------------------------------------------------------------------- full-scale benchmarks


def test_the_overlays_train_alike_but_for_the_crop_of_images_of_many_shapes():
    blocks = {name: shipped(name)["benchmarks"][name] for name in ROOTS}
    training = [dict(block["training"]) for block in blocks.values()]
    assert [block.pop("crop") for block in training] == ["whole", "whole", "1024x768", "1024x768", "whole", "whole"]
    assert [block.pop("min_scale", None) for block in training] == [None, None, 0.5, 0.5, None, None]
    assert all(block == training[0] for block in training)
    for key in ("network", "pretrained", "methods", "inference", "compute"):
        assert all(block[key] == blocks["gta2city"][key] for block in blocks.values())


@pytest.mark.parametrize("name", ROOTS)
def test_every_full_scale_benchmark_trains_as_published(make_plan, job, name):
    put_in_place(name)
    plan = make_plan(shipped(name))
    assert plan.benchmarks.models(job(name))[:2] == ["source", "advent"]
    assert set(plan.benchmarks.models(job(name))[2:]) == {"control-round1", "bdl-round1", "esl-round1"}
    assert len(plan.inputs.teacher_maps(job(name, round="esl-round1"))) == 4
    trainings = {
        "source": settings_of_training(plan, "source", name),
        "advent": settings_of_training(plan, "advent", name),
        "esl-round1": settings_of_training(plan, "esl-round1", name),
    }
    for model, text in trainings.items():
        settings = json.loads(text)
        assert settings["network"] == "deeplabv2_resnet101" and settings["pretrained"] == WEIGHTS
        assert settings["schedule"] == {
            "iterations": 120000, "schedule": 250000, "learning_rate": 0.00025, "source_batch": 1,
        }  # fmt: skip
        assert settings["optimization"]["optimizer"] == "sgd"
        assert settings["compute"] == {"accelerator": "cuda", "precision": "32-true"}
        assert settings["augmentation"]["flip"] == settings["augmentation"]["colour"] == 0
        target = settings.get("target")
        assert target is None if model == "source" else target["term"] == "advent" and target["batch_norm"] == "shared"
