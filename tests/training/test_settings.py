"""Settings of training: bounds, how planning composes them, and conflicts between them."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import esl.stages.train
from esl.data.settings import AugmentationSettings
from esl.errors import InputError
from esl.settings import subset
from esl.training import loop, resume, step
from esl.training.config import RoundSettings, SourceSettings, TrainingConfig, target_settings
from esl.training.conflicts import conflicts
from esl.training.settings import OptimizationSettings, ScheduleSettings, TargetSettings, TrainSettings
from esl.training.terms.build import term_settings
from esl.training.terms.registry import TERMS

CONFIG: dict[str, Any] = {
    "crop": "96x64",
    "source": {"iterations": 20, "learning_rate": 0.01, "source_batch": 2},
    "round": {"iterations": 10, "learning_rate": 0.01, "source_batch": 2, "target_batch": 3},
}
TrainSettingsOf = Callable[..., TrainSettings]


def _config(**changed: Any) -> TrainingConfig:
    return TrainingConfig.model_validate(CONFIG | changed)


# ------------------------------------------------------------------------------------------------------ the config


def test_every_key_of_the_config_is_declared_once() -> None:
    parts = [AugmentationSettings, OptimizationSettings]
    names = [name for part in parts for name in part.model_fields]
    own = {"save_every", "snapshot_every", "tensorboard", "source", "round", "terms"}
    assert len(names) == len(set(names)) and not own & set(names)
    assert set(TrainingConfig.model_fields) == {*names, *own}


@pytest.mark.parametrize("part", ["source", "round"])
def test_a_schedule_shorter_than_the_iterations_is_refused(part: str) -> None:
    with pytest.raises(ValidationError, match=r"schedule: expected at least the \d0 iterations, but got 5"):
        _config(**{part: CONFIG[part] | {"schedule": 5}})
    assert getattr(_config(**{part: CONFIG[part] | {"schedule": 40}}), part).length == 40


def test_a_warm_up_longer_than_the_training_is_refused() -> None:
    with pytest.raises(ValidationError, match="warmup: expected at most the 20 iterations, but got 21"):
        _config(source=CONFIG["source"] | {"warmup": 21})


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("source", "iterations", 0),
        ("source", "learning_rate", 0),
        ("source", "source_batch", 0),
        ("source", "target_batch", 0),
        ("source", "adaptation", "adbn"),
        ("source", "initial", "teacher"),
        ("source", "warmup", -1),
        ("source", "rare_class_sampling", 0),
        ("source", "target_rare_class_sampling", 0.01),
        ("round", "style", "adain"),
        ("round", "adaptation", "abn"),
        ("round", "batch_norm", "both"),
        ("round", "pseudo_label_weight", -1),
        ("round", "initial", "nothing"),
    ],
)
def test_values_out_of_bounds_and_keys_of_another_part_are_refused(part: str, key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=rf"{part}\.{key}"):
        _config(**{part: CONFIG[part] | {key: value}})


def test_numbers_may_be_written_with_an_exponent() -> None:
    config = _config(weight_decay="5e-4", source=CONFIG["source"] | {"learning_rate": "2.5e-4"})
    assert (config.weight_decay, config.source.learning_rate) == (0.0005, 0.00025)


def test_the_settings_of_a_term_are_checked_by_its_own_class() -> None:
    terms = _config(terms={"advent": {"weight": 0.5, "discriminator_rate": 1e-4}}).terms
    assert terms == {"advent": {"weight": 0.5, "auxiliary_weight": 0.0002, "discriminator_rate": 0.0001}}
    for terms, message in (
        ({"adven": {}}, "unknown target term 'adven'; did you mean 'advent'"),
        ({"minent": {"discriminator_rate": 1e-4}}, "minent: unknown key 'discriminator_rate'"),
        ({"advent": {"weight": -1}}, r"advent\.weight: .*greater than or equal to 0"),
    ):
        with pytest.raises(ValidationError, match=message):
            _config(terms=terms)


@pytest.mark.parametrize("name", ["minent", "advent"])
def test_the_published_weights_are_the_defaults(name: str) -> None:
    settings = term_settings(name, {})
    assert (settings.weight, settings.auxiliary_weight) == (1e-3, 2e-4)  # type: ignore[attr-defined]
    assert settings.changed() == {}


# ------------------------------------------------------------------------------------- the settings of a training


def test_a_round_takes_its_target_from_the_config() -> None:
    part = RoundSettings.model_validate(CONFIG["round"] | {"adaptation": "advent", "pseudo_label_weight": 0.5})
    target = target_settings(part, "64x32", {"advent": {"weight": 0.5}, "minent": {"weight": 0.25}})
    assert target == TargetSettings(
        target_size="64x32",
        target_batch=3,
        pseudo_label_weight=0.5,
        batch_norm="per_domain",
        term="advent",
        term_settings={"weight": 0.5},
    )


def test_a_source_stage_takes_a_term_and_no_pseudo_labels() -> None:
    part = SourceSettings.model_validate(CONFIG["source"] | {"adaptation": "minent"})
    assert target_settings(part, "own", {}) == TargetSettings(target_size="own", target_batch=1, term="minent")


def test_settings_pass_through_json_and_defaults_leave_no_trace(train_settings: TrainSettingsOf) -> None:
    settings = train_settings(target_batch=2, term="advent", term_settings={"weight": 0.5})
    assert TrainSettings.from_json(settings.canonical()) == settings
    config = _config()
    parts = {"augmentation": AugmentationSettings, "optimization": OptimizationSettings}
    training = TrainSettings(
        seed=0,
        network="small",
        source_size="own",
        schedule=subset(config.source, ScheduleSettings),
        **{name: subset(config, part) for name, part in parts.items()},
    )
    assert training.canonical() == (
        '{"augmentation":{"crop":"96x64"},"network":"small",'
        '"schedule":{"iterations":20,"learning_rate":0.01,"source_batch":2},"seed":0,"source_size":"own"}'
    )


# --------------------------------------------------------------------------------------------------------- conflicts


@pytest.mark.parametrize(
    ("changed", "keys"),
    [
        ({}, []),
        ({"compile": True}, []),
        ({"crop": "whole", "source_size": "own"}, ["training.crop, source.size, training.source.source_batch"]),
        ({"crop": "whole", "source_size": 96, "source_batch": 1}, []),
        ({"crop": "whole", "source_size": "96x64"}, []),
        (
            {"crop": "whole", "source_size": "96x64", "target_size": 96, "target_batch": 2},
            ["training.crop, target.size, training.source.target_batch"],
        ),
        ({"target_batch": 1, "term": "advent", "crop": "64x31"}, ["training.crop"]),
        ({"target_batch": 1, "term": "advent", "crop": "64x32"}, []),
        ({"target_batch": 1, "term": "advent", "crop": "64x63", "label_stride": 2}, ["training.crop"]),
        ({"target_batch": 1, "term": "minent", "crop": "64x31"}, []),
        (
            {"target_batch": 1, "term": "advent", "crop": "whole", "source_size": "96x64", "target_size": "96x31"},
            ["target.size"],
        ),
        (
            {"target_batch": 1, "term": "advent", "crop": "64x64", "precision": "16-mixed", "accelerator": "cuda"},
            ["compute.precision"],
        ),
        ({"target_batch": 1, "term": "minent", "precision": "16-mixed", "accelerator": "cuda"}, []),
        ({"target_batch": 1, "term": "ema"}, []),
        ({"target_batch": 1, "term": "ema", "crop": "whole", "source_size": "96x64", "target_size": "96x64"}, []),
        (
            {"target_batch": 1, "term": "ema", "crop": "whole", "source_size": "96x64", "target_size": "96x48"},
            ["training.crop"],
        ),
        (
            {"target_batch": 1, "term": "ema", "crop": "whole", "source_batch": 1, "term_settings": {"mix": "none"}},
            [],
        ),
        ({"target_batch": 1, "term": "ema", "crop": "whole", "source_batch": 1}, ["training.crop"]),
        (
            {"target_batch": 1, "term": "ema", "crop": "64x63", "term_settings": {"mask_ratio": 0.7}},
            ["training.terms.ema.mask_block"],
        ),
        (
            {"target_batch": 1, "term": "ema", "batch_norm": "frozen", "term_settings": {"statistics": "batch"}},
            ["training.terms.ema.statistics"],
        ),
        ({"target_batch": 1, "style": "fda"}, []),
        ({"target_batch": 1, "style": "fda", "crop": "whole", "source_batch": 1}, ["training.crop"]),
        ({"precision": "16-mixed", "accelerator": "cpu"}, ["compute.precision"]),
        ({"pretrained": "weights.pth"}, ["pretrained"]),
        ({"network": "deeplabv2_resnet101", "pretrained": "weights.pth"}, []),
        ({"network": "deeplabv3_resnet50", "source_batch": 1}, ["network, training.source.source_batch"]),
        ({"network": "deeplabv3_resnet50", "target_batch": 1}, ["network, training.source.target_batch"]),
        ({"network": "deeplabv3_resnet50", "target_batch": 1, "source_batch": 1, "batch_norm": "frozen"}, []),
        ({"network": "deeplabv3_resnet50", "target_batch": 2}, []),
        ({"repeat_backbone": True, "optimizer": "sgd"}, ["training.repeat_backbone"]),
        ({"repeat_backbone": True, "network": "deeplabv2_resnet101"}, ["training.repeat_backbone"]),
        ({"repeat_backbone": True, "network": "deeplabv2_resnet101", "optimizer": "sgd"}, []),
    ],
)
def test_conflicts_name_their_keys(train_settings: TrainSettingsOf, changed: dict[str, Any], keys: list[str]) -> None:
    found = conflicts(train_settings(**{"crop": "64x64"} | changed), activation_checkpointing=False)
    assert [", ".join(problem.keys) for problem in found] == keys


def test_compiled_and_checkpointed_together_conflict(train_settings: TrainSettingsOf) -> None:
    (problem,) = conflicts(train_settings(compile=True), activation_checkpointing=True)
    assert problem.keys == ("compute.compile", "compute.activation_checkpointing")
    assert conflicts(train_settings(), activation_checkpointing=True) == []


def test_the_stage_refuses_every_conflict_at_once(train_settings: TrainSettingsOf) -> None:
    settings = train_settings(crop="16x16", target_batch=1, term="advent", precision="16-mixed")
    words = {"index": "a", "output": "b", "target-index": "c", "threads": 1, "save-every": 1}
    flags = [f"--{name}={value}" for name, value in words.items()]
    with pytest.raises(InputError, match=r"compute\.precision: .*\ntraining\.crop: "):
        esl.stages.train.main([*flags, "--settings", settings.canonical()])


# ---------------------------------------------------------------------------------------------------- what they import


def test_planning_imports_no_torch() -> None:
    terms = "; ".join(f"term_settings({name!r}, {{}})" for name in TERMS)
    code = "import sys; from esl.training.terms.build import term_settings; import esl.training.conflicts"
    ended = subprocess.run([sys.executable, "-c", f"{code}; {terms}; sys.exit('torch' in sys.modules)"], check=False)
    assert ended.returncode == 0


@pytest.mark.parametrize("module", [loop, step, resume, esl.stages.train], ids=lambda module: module.__name__)
def test_nothing_general_names_a_term(module: Any) -> None:
    text = Path(module.__file__).read_text(encoding="utf-8").lower()
    assert [name for name in TERMS if re.search(rf"\b{name}\b", text)] == []
