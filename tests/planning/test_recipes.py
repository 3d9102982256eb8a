"""The recipes for full-scale data over modern networks: planned with the settings that they name; not run."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.configs import shipped

WEIGHTS = {
    "gta2city_daformer": "weights/mit_b5.imagenet.safetensors",
    "gta2city_sac": "weights/vit_base_patch14_dinov2.lvd142m.safetensors",
}


@pytest.fixture
def plan(make_plan, name):
    for folder in ("data/gta5", "data/cityscapes", "weights"):
        Path(folder).mkdir(parents=True, exist_ok=True)
    Path(WEIGHTS[name]).write_bytes(b"weights")
    return make_plan(shipped(name))


def training(plan, name, round_):
    return json.loads(plan.params.of_round(SimpleNamespace(benchmark=name, round=round_)))


@pytest.mark.parametrize("name", ["gta2city_daformer"])
def test_daformer_starts_from_imagenet_and_its_control_has_neither_teacher_nor_masks(plan, job, name):
    online, masked, control = (training(plan, name, f"{entry}-round1") for entry in ("online", "masked", "control"))
    assert online["pretrained"] == WEIGHTS[name] and online["pretrained_sha256"]
    assert online["schedule"] == {
        "iterations": 40000, "warmup": 1500, "learning_rate": 0.00006, "rare_class_sampling": 0.01, "source_batch": 2,
    }  # fmt: skip
    assert online["target"]["term"] == "ema" and "mask_ratio" not in online["target"]["term_settings"]
    assert masked["target"]["term_settings"]["mask_ratio"] == 0.7
    assert "term" not in control["target"]
    assert {key: control[key] for key in control if key != "target"} == {
        key: online[key] for key in online if key != "target"
    }
    assert (
        plan.inputs.teacher_maps(job(name, round="offline-round1"))[0] == f"results/{name}/masked-round1/maps/1-of-4.h5"
    )


@pytest.mark.parametrize("name", ["gta2city_sac"])
def test_sac_averages_views_for_all_methods_and_is_followed_by_a_teacher(plan, job, name):
    assert json.loads(plan.params.of_inference(job(name, model="source")))["views"] == ["flip", 0.75, 1.25]
    assert plan.benchmarks.models(job(name)) == [
        "source", "control-round1", "esl-round1", "sac-round1", "sac-round2", "online-round1",
    ]  # fmt: skip
    assert plan.inputs.initial_weights(job(name, round="online-round1")) == [f"results/{name}/sac-round2/checkpoint.pt"]
    assert training(plan, name, "online-round1")["target"]["term_settings"] == {
        "alpha": 0.99, "flip": True, "weighting": "pixel",
    }  # fmt: skip


@pytest.mark.parametrize("name", WEIGHTS)
def test_missing_weights_are_reported_with_their_place_and_licence(make_plan, job, name):
    with pytest.raises(SystemExit) as caught:
        make_plan(shipped(name)).inputs.every_index(job(name))
    assert f"benchmarks.{name}.pretrained: no such file: {WEIGHTS[name]}; get model.safetensors from " in str(
        caught.value
    )


def unset(shipped_block, overlay_block, prefix=""):
    """Keys of the first block that the second leaves as they are."""
    for key, value in shipped_block.items():
        if key not in overlay_block:
            yield prefix + key
        elif isinstance(value, dict) and isinstance(overlay_block[key], dict):
            yield from unset(value, overlay_block[key], f"{prefix}{key}.")


@pytest.mark.parametrize("name", ["gta2city", "gta2vistas", "synthia2city"])
def test_a_full_scale_overlay_inherits_no_setting_of_the_miniature(name):
    miniature, overlay = (shipped(file)["benchmarks"][name] for file in ("config", name))
    assert {*unset(miniature, overlay)} <= {"seed"}
