"""Mistakes in a config: one line for each, by key, with the likely correction."""

from typing import Any

import pytest
import yaml
from planning.config import read_config

from esl.errors import InputError
from tests.configs import PROJECT, SMALL, merged, shipped

GTA2CITY = "benchmarks.gta2city"


def config(**benchmark: Any) -> dict[str, Any]:
    return {"benchmarks": {"gta2city": benchmark}}


def read(change: dict[str, Any]):
    return read_config(merged(shipped(), SMALL, change))


@pytest.mark.parametrize("path", sorted((PROJECT / "config").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_is_sound(path):
    on_streets = path.stem in ("ablation", "streets2camvid_labels")  # the first changes two benchmarks
    others = [shipped("streets2camvid")] if on_streets else []
    read_config(merged(shipped(), *others, yaml.safe_load(path.read_text())))


MISTAKES = [
    (config(metods={"esl": {}}), f"{GTA2CITY}: unknown key 'metods'; did you mean 'methods'?"),
    (config(methods={"esl": {"rounds": "two"}}), f"{GTA2CITY}.methods: esl.rounds: input should be a valid integer"),
    (config(methods={"esl": {"bound": 1.5}}), "esl.bound: input should be less than or equal to 1, but got 1.5"),
    (config(methods={"esl": {"bund": 0.5}}), "esl: unknown key 'bund'; did you mean 'bound'?"),
    (config(methods={"els": {}}), f"{GTA2CITY}.methods: unknown method 'els'; did you mean 'esl'?"),
    (config(methods={"cbst": {"bound": 0.5}}), "cbst: unknown key 'bound'"),
    (config(source={"dataset": "gta"}), f"{GTA2CITY}.source.dataset: unknown dataset 'gta'; did you mean 'gta5'?"),
    (config(class_set="cityscape19"), "class_set: unknown class set 'cityscape19'; did you mean 'cityscapes19'?"),
    (config(network="smal"), f"{GTA2CITY}.network: unknown network 'smal'; did you mean 'small'?"),
    ({"benchmarks": {"gta2city\n": {}}}, r"config: benchmarks.'gta2city\n': string should match"),
    ({"benchmarks": {"a" * 101: {}}}, f"config: benchmarks.{'a' * 101}: string should have at most 100"),
    (config(methods={"a" * 101: {"method": "esl"}}), "expected a name of at most 100"),
    (
        config(source={"root": "data/a\nb"}),
        r"source.root: expected a path of printable characters, but got 'data/a\nb'",
    ),
    (config(source={"root": "data/a\0b"}), "source.root: expected a path of printable characters"),
    (
        config(training={"source": {"iterations": 10**18}}),
        "iterations: input should be less than or equal to 1000000000",
    ),
    (config(source={"size": "big"}), f"{GTA2CITY}.source.size: expected WIDTHxHEIGHT, the length of the longer side"),
    (config(training={"crop": "big"}), f"{GTA2CITY}.training.crop: expected WIDTHxHEIGHT in pixels, or 'whole'"),
    (
        config(training={"terms": {"advnet": {}}}),
        "training.terms: unknown target term 'advnet'; did you mean 'advent'?",
    ),
    (config(training={"terms": {"advent": {"wieght": 1}}}), "advent: unknown key 'wieght'; did you mean 'weight'?"),
    (config(gate={"kept_min": 0.9, "kept_max": 0.1}), "gate: kept_min: expected at most kept_max, 0.1, but got 0.9"),
    (config(training={"round": {"learning_rate": ".inf"}}), "training.round.learning_rate: "),
    (config(seed=10**30), f"{GTA2CITY}.seed: input should be less than 4294967296"),
    (
        {"datasets": {"mine": {"images": "a", "labels": [{"files": "b", "ids": {7: "raod"}}]}}},
        "datasets.mine: no class set lists the label 'raod'; did you mean 'road'? (null ignores an id)",
    ),
    ({"class_sets": {"mine": {"a": {"labels": ["raod"]}, "sky": {}}}}, "has the label 'raod'; did you mean 'road'?"),
    ({"class_sets": {"mine": {1: {}, "sky": {}}}}, "class_sets.mine.1: keys must be text; put 1 in quotation marks"),
    (
        {"datasets": {"mine": {"images": "a", "labels": [{"files": "b", "colours": {"road": [1, 300, 2]}}]}}},
        "datasets.mine.labels.0.colours",
    ),
    ({"datasets": {"mine": {"images": "../a"}}}, "datasets.mine: '../a': expected a path below the root"),
    ({"datasets": {"gta5": {"images": "a"}}}, "datasets.gta5: a shipped one has this name; choose another"),
    ({"class_sets": {"mine": {"a": {"labels": ["sky"]}, "b": {"labels": ["sky"]}}}}, "'sky' is part of 'a' and of 'b'"),
    ({"benchmark": {}}, "(top level): unknown key 'benchmark'; did you mean 'benchmarks'?"),
    ({"benchmarks": {"Bad Name": None, "GTA": {}}}, "benchmarks.GTA"),
    ({"reproduce": [1, 1]}, "reproduce: expected every seed once"),
    (config(training={"source": {"schedule": 5}}), "training.source: schedule: expected at least the"),
    (config(training={"round": {"learning_rate": None}}), "training.round.learning_rate: "),
    (config(pretrained="torchvision"), "pretrained: small does not start from published weights"),
    (
        config(pretrained="torchvision", network="deeplabv2_resnet101"),
        "pretrained: torchvision's weights fit deeplabv2_resnet101_torchvision, not deeplabv2_resnet101",
    ),
    (
        config(training={"round": {"initial": "pretrained"}}),
        "training.round.initial: rounds start from the `pretrained` weights, but pretrained names none",
    ),
]


@pytest.mark.parametrize(("change", "expected"), MISTAKES)
def test_a_mistake_is_named_by_its_key(change, expected):
    with pytest.raises(InputError) as caught:
        read(change)
    assert expected in str(caught.value)
    assert all(line.startswith("config: ") for line in str(caught.value).splitlines())


LATE = [
    (
        config(compute={"compile": True, "activation_checkpointing": True}),
        "compute.compile, compute.activation_checkpointing: exclude each other",
    ),
    (
        config(training={"crop": "48x48", "source": {"adaptation": "advent"}}),
        "training.crop: advent's discriminators need at least 32 compared pixels per side, but got 48x48",
    ),
    (
        config(training={"crop": "whole"}, target={"size": 128}),
        "target.size, training.round.target_batch: whole images of several sizes cannot form a batch of",
    ),
    (
        config(compute={"precision": "16-mixed"}, training={"round": {"adaptation": "advent"}}),
        "compute.precision: advent trains in 32-true or bf16-mixed, but got 16-mixed",
    ),
    (
        config(network="deeplabv3_resnet50", training={"source": {"source_batch": 1}}),
        "network, training.source.source_batch: deeplabv3_resnet50 needs at least 2 images in a batch, but got 1",
    ),
    (config(compute={"precision": "16-mixed"}), "compute.precision: a CPU does not train in 16-mixed"),
    (
        config(oracle=True, training={"crop": "whole"}, source={"size": "128x64"}, target={"size": 128}),
        "training.crop, target.size, training.round.target_batch: whole images of several sizes",
    ),
]


@pytest.mark.parametrize(("change", "expected"), LATE)
def test_settings_that_exclude_each_other_are_refused_while_planning(change, expected):
    with pytest.raises(InputError) as caught:
        read(change)
    assert expected in str(caught.value)


def test_all_mistakes_are_reported_together():
    change = config(network="smal", class_set="cityscape19", source={"dataset": "gta"})
    with pytest.raises(InputError) as caught:
        read(change)
    assert len(str(caught.value).splitlines()) == 3


def test_null_removes_a_method_a_benchmark_and_a_dataset():
    change = config(methods={"bdl": None}) | {"datasets": {"mine": None}}
    change["benchmarks"]["gta2vistas"] = None
    result = read(change)
    assert "bdl" not in result.benchmarks["gta2city"].methods
    assert "gta2vistas" not in result.benchmarks and not result.datasets


def test_the_settings_of_a_chosen_term_are_complete_and_null_removes_an_entry():
    training = {"source": {"adaptation": "advent"}, "terms": {"minent": None}}
    terms = read(config(training=training)).benchmarks["gta2city"].training.terms
    assert terms == {"advent": {"weight": 0.001, "auxiliary_weight": 0.0002, "discriminator_rate": 0.0001}}


def test_exponents_are_numbers_although_yaml_reads_them_as_text():
    overlay = yaml.safe_load("{training: {round: {learning_rate: 1e-3}, weight_decay: 5E-4}}")
    assert overlay["training"]["round"]["learning_rate"] == "1e-3"
    training = read(config(**overlay)).benchmarks["gta2city"].training
    assert training.round.learning_rate == 0.001 and training.weight_decay == 0.0005


@pytest.mark.parametrize(
    ("stored", "methods", "missing"),
    [
        (["entropy"], {"esl": {}}, None),
        (["confidence"], {"control": {}, "bdl": {}, "fda": {}}, None),
        ([], {"control": {}}, None),
        (["confidence", "probability"], {"esl": {}}, "esl reads entropy"),
        (["entropy", "probability"], {"bdl": {}}, "bdl reads confidence"),
        (["entropy"], {"cbst": {}}, "cbst reads confidence, probability"),
    ],
)
def test_a_method_whose_map_is_not_stored_is_refused(stored, methods, missing):
    removed = dict.fromkeys(("control", "bdl", "esl"), None)
    change = config(inference={"maps": stored}, methods=removed | methods)
    if missing is None:
        assert list(read(change).benchmarks["gta2city"].methods) == [*methods]
    else:
        with pytest.raises(InputError, match=rf"{GTA2CITY}.inference.maps: {missing}, which is not stored"):
            read(change)
