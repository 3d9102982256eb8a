"""Entries of `methods` that are variants: networks, sizes and trainings of their own, after another entry."""

import json
from hashlib import sha256
from pathlib import Path

import pytest
from planning.config import read_config
from planning.manual import METHODS, settings_class
from planning.variants import VariantSettings

from esl.errors import InputError
from esl.labels.methods.base import MethodSettings
from tests.configs import SMALL, merged, shipped

GTA2CITY = "benchmarks.gta2city"
STUDENT = {"method": "esl", "network": "fcn_resnet50", "round": {"initial": "fresh"}}
WEIGHTS = "weights/resnet101.pth"


def gta2city(**benchmark):
    return {"benchmarks": {"gta2city": benchmark}}


def methods(**entries):
    """The benchmark with these entries of `methods` alone."""
    return gta2city(methods=dict.fromkeys(("control", "bdl", "esl"), None) | entries)


def training(plan, job, round_):
    return json.loads(plan.params.of_round(job(round=round_)))


# ---------------------------------------------------------------------------------------------------------- order


def test_an_entry_comes_behind_the_one_that_it_comes_after_whatever_the_config_says_first(make_plan, job):
    entries = {
        "late": {"method": "esl", "after": "middle"},
        "middle": {"method": "control", "after": "bdl", "rounds": 2},
        "esl": {},
        "bdl": {},
    }
    plan = make_plan(methods(**entries))
    rounds = ["esl-round1", "bdl-round1", "middle-round1", "middle-round2", "late-round1"]
    assert plan.benchmarks.models(job())[2:] == rounds


@pytest.mark.parametrize(("initial", "start"), [("source", "online-round2"), ("teacher", "late-round1")])
def test_rounds_after_others_are_taught_by_and_start_from_the_last_of_them(make_plan, job, initial, start):
    online = {"method": "control", "rounds": 2}
    late = {"method": "esl", "after": "online", "rounds": 2, "round": {"initial": initial}}
    plan = make_plan(methods(online=online, late=late))
    assert plan.inputs.teacher_maps(job(round="late-round1"))[0] == "results/gta2city/online-round2/maps/1-of-2.h5"
    assert plan.inputs.initial_weights(job(round="late-round1")) == ["results/gta2city/online-round2/checkpoint.pt"]
    assert plan.inputs.teacher_maps(job(round="late-round2"))[0] == "results/gta2city/late-round1/maps/1-of-2.h5"
    assert plan.inputs.initial_weights(job(round="late-round2")) == [f"results/gta2city/{start}/checkpoint.pt"]
    assert plan.inputs.previous_thresholds(job(round="late-round1")) == []
    assert plan.inputs.teacher_maps(job(round="online-round1"))[0] == "results/gta2city/adapted/maps/1-of-2.h5"


# --------------------------------------------------------------------------------------------------- its settings


def test_a_variant_runs_its_selection_method_with_its_settings(make_plan, job):
    plan = make_plan(methods(wide={"method": "esl", "bound": 0.2, "round": {"iterations": 7}}))
    settings = json.loads(plan.params.of_thresholds(job(round="wide-round1")))
    assert settings == {"method": "esl", "parameters": {"bound": 0.2}}
    assert plan.inputs.manifests(job()) == ["results/gta2city/wide-round1/pseudo_labels.json"]


def test_an_entry_that_keeps_nothing_is_in_no_figure_whatever_its_name(make_plan, job):
    plan = make_plan(methods(source={"method": "control"}, esl={}))
    assert plan.inputs.manifests(job()) == ["results/gta2city/esl-round1/pseudo_labels.json"]
    models = ["source", "adapted", "esl-round1", "source-round1"]
    assert plan.inputs.predictions(job()) == [f"results/gta2city/{model}/predictions.json" for model in models]


def test_rounds_of_an_entry_train_as_it_says_and_else_as_the_benchmark_says(make_plan, job):
    online = {
        "method": "control",
        "source_size": "128x64",
        "round": {"adaptation": "ema", "rare_class_sampling": None, "iterations": 9},
        "terms": {"ema": {"mix": "none"}},
    }
    terms = {"ema": {"confidence": 0.5}}
    base = {"training": {"terms": terms, "round": {"rare_class_sampling": 0.1}}}
    plan = make_plan(gta2city(**base), methods(online=online, esl={}))
    settings, other = training(plan, job, "online-round1"), training(plan, job, "esl-round1")
    assert settings["source_size"] == "128x64" and other["source_size"] == "own"
    assert settings["schedule"]["iterations"] == 9 and other["schedule"]["iterations"] == 155
    assert "rare_class_sampling" not in settings["schedule"] and other["schedule"]["rare_class_sampling"] == 0.1
    assert settings["target"]["term_settings"] == {"confidence": 0.5, "mix": "none"} and "term" not in other["target"]
    digest = plan.params.code("esl.stages.train", plan.roots.term_of_round)
    assert digest(job(round="online-round1")) != digest(
        job(round="esl-round1")
    )  # the term's modules are digested with the round that uses it


def test_a_student_has_its_own_network_and_size_and_its_teacher_keeps_its_own(make_plan, job):
    student = {**STUDENT, "target_size": "128x64", "rounds": 2}
    plan = make_plan(methods(student=student, esl={}))
    assert training(plan, job, "student-round1")["network"] == "fcn_resnet50"
    assert training(plan, job, "student-round1")["target"]["target_size"] == "128x64"
    assert plan.inputs.initial_weights(job(round="student-round1")) == []
    assert training(plan, job, "esl-round1")["network"] == "small"
    sizes = {
        model: json.loads(plan.params.of_inference(job(model=model)))["size"] for model in ("adapted", "student-round1")
    }
    assert sizes == {"adapted": "own", "student-round1": "128x64"}
    assert json.loads(plan.params.of_evaluation(job(model="student-round2")))["size"] == "128x64"
    for stage in ("infer", "evaluate", "predict", "best_snapshot"):
        digest = plan.params.code(f"esl.stages.{stage}", plan.roots.network_of_model)
        assert digest(job(model="adapted")) == digest(job(model="esl-round1")) != digest(job(model="student-round1"))


def test_no_weights_of_the_benchmark_go_into_another_network(make_plan, job):
    base = {"network": "deeplabv2_resnet101_torchvision", "pretrained": "torchvision"}
    round_ = {"initial": "pretrained"}
    entries = {"esl": {"round": round_}, "other": {**STUDENT, "network": "fcn_resnet50"}}
    plan = make_plan(gta2city(**base), methods(**entries))
    assert training(plan, job, "esl-round1")["pretrained"] == "torchvision"
    assert "pretrained" not in training(plan, job, "other-round1")


def test_settings_json_holds_what_an_entry_sets_itself(make_plan, job):
    resolved = json.loads(make_plan(methods(student=STUDENT, esl={})).params.every_setting(job()))
    assert resolved["methods"] == {
        "student": {"rounds": 1, "quantile": 0.5, "bound": 0.1, **STUDENT},
        "esl": {"rounds": 1, "quantile": 0.5, "bound": 0.1},
    }


@pytest.mark.parametrize("method", METHODS)
def test_no_method_has_a_key_that_every_entry_has(method):
    own = settings_class(method).model_fields.keys() - MethodSettings.model_fields.keys()
    assert not own & VariantSettings.model_fields.keys()


# -------------------------------------------------------------------------------------------------------- weights


def test_the_content_of_a_file_of_weights_is_a_setting_of_the_trainings_that_read_it(make_plan, job):
    Path(WEIGHTS).parent.mkdir()
    Path(WEIGHTS).write_bytes(b"one")
    student = {
        "method": "esl",
        "network": "deeplabv2_resnet101",
        "pretrained": WEIGHTS,
        "round": {"initial": "pretrained"},
    }
    plan = make_plan(methods(student=student, esl={}))
    read = training(plan, job, "student-round1")
    assert (read["pretrained"], read["pretrained_sha256"]) == (WEIGHTS, sha256(b"one").hexdigest())
    assert plan.inputs.pretrained_weights_of_rounds(job(round="student-round1")) == [WEIGHTS]
    for settings in (training(plan, job, "esl-round1"), json.loads(plan.params.of_source(job()))):
        assert not [key for key in settings if key.startswith("pretrained")]
    Path(WEIGHTS).write_bytes(b"other")
    assert training(plan, job, "student-round1")["pretrained_sha256"] == sha256(b"other").hexdigest()


def test_missing_weights_of_an_entry_are_reported_with_its_key(make_plan, job):
    student = {
        "method": "esl",
        "network": "deeplabv2_resnet101",
        "pretrained": WEIGHTS,
        "round": {"initial": "pretrained"},
    }
    with pytest.raises(SystemExit) as caught:
        make_plan(methods(student=student)).benchmarks.models(job())
    assert f"error: {GTA2CITY}.methods.student.pretrained: no such file: {WEIGHTS}; for deeplab" in str(caught.value)


def test_a_round_that_the_benchmark_does_not_have_ends_the_run(make_plan, job):
    plan = make_plan(methods(student=STUDENT))
    with pytest.raises(SystemExit, match=r"esl-round1: benchmarks\.gta2city\.methods has no variant 'esl'"):
        plan.params.of_thresholds(job(round="esl-round1"))


# ------------------------------------------------------------------------------------------------------- mistakes

MISTAKES = [
    ({"mine": {}}, f"{GTA2CITY}.methods: unknown method 'mine'; known: "),
    ({"mine": {}}, "; a variant with a name of its own names its method, such as mine.method: esl"),
    ({"mine": {"method": "els"}}, f"{GTA2CITY}.methods: unknown method 'els'; did you mean 'esl'?"),
    ({"esl": {"method": "bdl"}}, "esl.method: esl is a method itself; give the variant that runs bdl another name"),
    ({"My": {"method": "esl"}}, "'My': expected a name of at most 100 lower-case letters, digits and `_`"),
    ({"mine": {"method": "esl", "netwrk": "small"}}, "mine: unknown key 'netwrk'; did you mean 'network'?"),
    ({"mine": {"method": "esl", "bund": 1}}, "mine: unknown key 'bund'; did you mean 'bound'?"),
    ({"mine": {"method": "esl", "source_size": "big"}}, "mine.source_size: expected WIDTHxHEIGHT"),
    (
        {"mine": {"method": "esl", "after": "elsewhere"}, "esl": {}},
        "mine.after: no variant 'elsewhere'; known: esl, mine",
    ),
    (
        {"esl": {"after": "bdl"}, "bdl": {"after": "esl"}},
        "esl.after: esl after bdl after esl: a circle; let one of them",
    ),
    ({"esl": {"after": "esl"}}, "esl.after: esl after esl: a circle"),
    (
        {"esl": {"round": {"iteratons": 5}}},
        f"{GTA2CITY}.methods.esl.round: unknown key 'iteratons'; did you mean 'iterations'?",
    ),
    (
        {"esl": {"round": {"iterations": 0}}},
        f"{GTA2CITY}.methods.esl.round.iterations: input should be greater than or equal to 1, but got 0",
    ),
    (
        {"esl": {"round": {"warmup": 500}}},
        f"{GTA2CITY}.methods.esl.round: warmup: expected at most the 155 iterations, but got 500",
    ),
    (
        {"esl": {"terms": {"ema": {"mixx": 1}}}},
        f"{GTA2CITY}.methods.esl.terms: ema: unknown key 'mixx'; did you mean 'mix'?",
    ),
    ({"esl": {"network": "smal"}}, f"{GTA2CITY}.methods.esl.network: unknown network 'smal'; did you mean 'small'?"),
    (
        {"esl": {"network": "fcn_resnet50"}},
        f"{GTA2CITY}.methods.esl.network: esl-round1 would start from 'adapted', whose weights are those of small, not "
        "of fcn_resnet50; set methods.esl.round.initial to `pretrained` (methods.esl.pretrained names the file) or "
        "`fresh`",
    ),
    (
        {"student": STUDENT, "late": {"method": "esl", "after": "student"}},
        f"{GTA2CITY}.methods.late.network: late-round1 would start from 'student-round1', whose weights are those of "
        "fcn_resnet50, not of small; set",
    ),
    (
        {"esl": {"network": "deeplabv2_resnet101", "round": {"initial": "pretrained"}}},
        f"{GTA2CITY}.methods.esl.pretrained: rounds start from published weights (methods.esl.round.initial), but none "
        "of deeplabv2_resnet101 are named; name a file, or set methods.esl.round.initial to `fresh`",
    ),
    (
        {"esl": {"network": "deeplabv2_resnet101", "pretrained": WEIGHTS, "round": {"initial": "fresh"}}},
        f"{GTA2CITY}.methods.esl.pretrained: never read, because the rounds start from `fresh` "
        "(methods.esl.round.initial); set methods.esl.round.initial to `pretrained`",
    ),
    ({"esl": {"pretrained": "torchvision"}}, f"{GTA2CITY}.methods.esl.pretrained: small does not start from published"),
    (
        {"esl": {"network": "deeplabv3_resnet50", "round": {"initial": "fresh", "target_batch": 1}}},
        f"{GTA2CITY}.methods.esl.network, methods.esl.round.target_batch: deeplabv3_resnet50 needs at least 2 images",
    ),
    (
        {"esl": {"round": {"adaptation": "ema"}, "terms": {"ema": {"mask_ratio": 0.7, "mask_block": 97}}}},
        f"{GTA2CITY}.methods.esl.terms.ema.mask_block: blocks of 97 pixels do not fit",
    ),
    (
        {"esl": {"target_size": 128}, "bdl": {}},
        f"{GTA2CITY}.training.crop, methods.esl.target_size, training.round.target_batch: whole images of several",
    ),
]


@pytest.mark.parametrize(("entries", "expected"), MISTAKES)
def test_a_mistake_in_an_entry_is_named_by_its_key(entries, expected):
    crop = {"target": {"size": "256x128"}, "training": {"crop": "whole"}} if "target_size" in str(entries) else {}
    with pytest.raises(InputError) as caught:
        read_config(merged(shipped(), SMALL, gta2city(**crop), methods(**entries)))
    assert expected in str(caught.value)
    assert all(line.startswith(f"config: {GTA2CITY}.") for line in str(caught.value).splitlines())


def test_a_conflict_that_names_none_of_its_keys_says_which_entry_has_it():
    change = methods(esl={}, online={"method": "control", "round": {"adaptation": "advent"}})
    with pytest.raises(InputError) as caught:
        read_config(merged(shipped(), SMALL, gta2city(training={"crop": "48x48"}), change))
    assert str(caught.value).count("\n") == 0 and str(caught.value).endswith(" (of methods.online)")


def test_classes_that_fixed_thresholds_name_are_those_of_the_class_set(make_plan, capsys):
    entries = {"mine": {"method": "fixed", "measure": "confidence", "classes": {"Road": 0.9, "sky": None}}}
    with pytest.raises(SystemExit, match=r"methods\.mine\.classes: unknown class 'Road'; did you mean 'road'\?"):
        make_plan({"benchmarks": {"gta2city": {"methods": entries}}})
    entries["mine"] = {"method": "fixed", "measure": "margin", "classes": {"road": 0.9, "sky": None}}
    with pytest.raises(SystemExit, match=r"inference\.maps: mine reads margin, which is not stored"):
        make_plan({"benchmarks": {"gta2city": {"methods": entries}}})
