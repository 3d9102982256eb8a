"""The claims of docs/caching.md: which change of code or settings reruns which stages, and which reruns nothing."""

import os
import time

import pytest

from tests.documents import extending_sections
from tests.workflow.jobs import ESL, ROUNDS, SETTINGS, SUMMARY, gta2city

SECTIONS = extending_sections()


def test_a_finished_benchmark_has_nothing_left_to_do(finished):
    assert finished.planned() == set()


def test_touching_every_file_of_code_config_and_data_reruns_nothing(own):
    later = time.time() + 60
    for folder in ("esl", "miniature", "workflow", "config", "data/miniature/0/gta5", "data/miniature/0/cityscapes"):
        for path in (own.root / folder).rglob("*"):
            os.utime(path, (later, later))
    assert own.planned() == set()


# ----------------------------------------------------------------------------------- an extension reruns nothing


@pytest.mark.parametrize("title", SECTIONS)
def test_an_extension_reruns_nothing(edited, title):
    """A method, a measure, a network, a dataset, a target term: each as docs/extending.md adds it."""
    edited.apply(SECTIONS[title]["diff"])
    assert edited.planned() == set()


def test_a_new_class_set_reruns_nothing(edited):
    edited.edit(
        "esl/data/class_sets.py",
        '_cityscapes_classes("cityscapes19"),',
        """_cityscapes_classes("cityscapes19"),
        _cityscapes_classes("cityscapes18", without=("train",)),""",
    )
    assert edited.planned() == set()


def test_a_new_table_of_labels_reruns_nothing(edited):
    edited.edit(
        "esl/data/label_tables/registry.py",
        "LABEL_TABLES = {",
        'LABEL_TABLES = {\n    "new": "esl.data.label_tables.gta5:GTA5_LABELS",',
    )
    assert edited.planned() == set()


def test_rewording_errors_docstrings_comments_and_descriptions_reruns_nothing(edited):
    edited.edit("esl/files.py", "no such file; run the stage", "not there; run the stage")
    edited.edit("esl/errors.py", '"""', '"""Really: ')
    edited.edit("esl/labels/confidence.py", "import torch\n", "# a remark\nimport torch\n")
    edited.edit("esl/training/loop.py", '"""', '"""A docstring of its own. ')
    edited.edit("esl/training/settings.py", 'description="Momentum of', 'description="The momentum of')
    edited.edit("esl/training/conflicts.py", "needs at least", "wants at least")
    edited.edit("esl/data/inspection.py", "a label without its image", "a label, but no image")
    edited.edit("esl/stages/train.py", 'help="digest of the code', 'help="the digest of the code')
    edited.edit("esl/stages/index.py", "no defects", "nothing wrong")
    edited.edit("esl/settings.py", "unknown key", "no such key")
    edited.edit("esl/errors.py", "did you mean", "do you mean")
    edited.edit("esl/labels/gate.py", "the teacher predicts only", "the teacher knows only")
    assert edited.planned() == set()


def test_an_edit_of_the_doctors_report_reruns_nothing(edited):
    edited.edit("esl/data/report.py", "SHOWN_ITEMS = 8", "SHOWN_ITEMS = 9")
    edited.edit("esl/stages/doctor.py", "def main(", "def also() -> None: ...\n\n\ndef main(")
    assert edited.planned() == set()


# ------------------------------------------------------------------- a default reruns what its value reaches, no more


DEFAULTS = {
    "compute.workers": ("esl/models/config.py", "        1, ge=0, description", "        2, ge=0, description"),
    "training.save_every": ("esl/training/config.py", "        200,\n        ge=1", "        100,\n        ge=1"),
    "training.tensorboard": (
        "esl/training/config.py",
        "Field(\n        False,\n        description",
        "Field(\n        bool(0),\n        description",
    ),
    "a key description of the config": (
        "esl/training/config.py",
        "Number of iterations between",
        "The iterations between",
    ),
    "an error text": ("esl/training/conflicts.py", "exclude each other", "cannot go together"),
    "an upper bound": ("esl/models/config.py", "        1, ge=0, description", "        1, ge=0, le=64, description"),
}
"""Edits of defaults that change no result, and that SMALL or TINY set to no other value: file, before, after."""


@pytest.mark.parametrize("key", DEFAULTS)
def test_an_edit_of_a_default_that_changes_no_result_reruns_no_model(edited, key):
    edited.edit(*DEFAULTS[key])
    assert edited.planned() <= {SETTINGS}


def test_another_default_number_of_shards_infers_again_and_trains_no_source_model(edited):
    edited.edit("esl/labels/config.py", "shards: int = Field(2,", "shards: int = Field(1,")
    jobs = edited.planned()
    assert jobs >= ESL | {"Inferring maps with adapted, shard 1-of-1"}
    assert not any(job.startswith(("Training the source", "Adapting", "Checking every", "Rendering")) for job in jobs)


def test_snapshots_by_default_are_scored_and_train_nothing(edited):
    edited.edit(
        "esl/training/config.py", "snapshot_every: int = Field(\n        0,", "snapshot_every: int = Field(\n        3,"
    )
    choices = {f"Choosing among the snapshots of {model} by target labels" for model in ("source", *ROUNDS)}
    assert edited.planned() == {SETTINGS, *choices, SUMMARY}


def test_another_default_bound_of_a_method_reruns_that_method_alone(edited):
    edited.edit("esl/labels/methods/esl.py", "0.1, ge=0", "0.2, ge=0")
    assert edited.planned() == {SETTINGS, *ESL}


# ------------------------------------------------------------------------------- an edit reruns what depends on it


def test_an_edit_of_the_confidence_code_reruns_inference_but_no_source_training(edited):
    edited.edit("esl/labels/confidence.py", "value.double()", "value.to(torch.float64)")
    jobs = edited.planned()
    assert jobs >= ESL | {"Inferring maps with adapted, shard 1-of-2", "Inferring maps with adapted, shard 2-of-2"}
    assert not any(job.startswith(("Training the source", "Adapting", "Checking every", "Rendering")) for job in jobs)


def test_an_edit_of_the_chosen_network_reruns_trainings_and_what_follows_but_no_index(edited):
    edited.edit("esl/models/networks/small.py", "DECODER_WIDTH = 48", "DECODER_WIDTH = 40 + 8")
    jobs = edited.planned()
    assert jobs >= ESL | {"Training the source model", "Training control-round1"}
    assert not any(job.startswith(("Checking every", "Rendering")) for job in jobs)


def test_an_edit_of_another_network_or_of_another_term_reruns_nothing(edited):
    edited.edit("esl/models/networks/deeplabv2.py", "CLASSIFIER_RATE = 10", "CLASSIFIER_RATE = 5 + 5")
    edited.edit("esl/training/terms/advent/settings.py", "SMALLEST_MAP = 32", "SMALLEST_MAP = 16 + 16")
    assert edited.planned() == set()


def test_an_edit_of_the_loss_reruns_every_training_but_no_index(edited):
    edited.edit("esl/training/losses.py", 'reduction="sum"', "reduction='su' 'm'.strip()")
    jobs = edited.planned()
    assert jobs >= {"Training the source model", *(f"Training {round_}" for round_ in ROUNDS)}
    assert not any(job.startswith(("Checking every", "Rendering")) for job in jobs)


def test_an_edit_of_one_method_reruns_that_method_alone(edited):
    edited.edit("esl/labels/methods/esl.py", "0.1", "0.05 + 0.05")
    assert edited.planned() == ESL


def test_an_edit_of_what_methods_share_reruns_neither_inference_nor_source_training(edited):
    edited.edit(
        "esl/labels/methods/quantile.py", "rank = min(round(pixels * quantile),", "rank = min(round(quantile * pixels),"
    )
    jobs = edited.planned()
    assert jobs >= ESL
    assert not any(job.startswith(("Inferring", "Training the source")) for job in jobs)


# ---------------------------------------------------------------------------------------------- changed settings


def test_another_bound_reruns_only_what_follows_from_its_selection(finished):
    assert finished.planned(change=gta2city(methods={"esl": {"bound": 0.2}})) == {SETTINGS, *ESL}


def test_a_gate_with_other_bounds_is_checked_again_and_trains_nothing(finished):
    jobs = finished.planned(change=gta2city(gate={"kept_max": 0.99}))
    assert jobs == {SETTINGS, *(f"Checking the teacher of {round_}" for round_ in ROUNDS)}


def test_more_workers_and_more_frequent_states_train_nothing(finished):
    change = gta2city(compute={"workers": 2}, training={"save_every": 2})
    assert finished.planned(change=change) == {SETTINGS}


def test_snapshots_asked_for_afterwards_and_less_memory_train_nothing(finished):
    change = gta2city(compute={"activation_checkpointing": True}, training={"snapshot_every": 3})
    choices = {f"Choosing among the snapshots of {model} by target labels" for model in ("source", *ROUNDS)}
    assert finished.planned(change=change) == {SETTINGS, *choices, SUMMARY}


def test_another_round_runs_only_that_round(finished):
    assert finished.planned(change=gta2city(methods={"esl": {"rounds": 2}})) == {
        SETTINGS,
        "Inferring maps with esl-round1, shard 1-of-2",
        "Inferring maps with esl-round1, shard 2-of-2",
        "Choosing thresholds for esl-round2",
        "Checking the teacher of esl-round2",
        "Writing pseudo-labels for esl-round2",
        "Training esl-round2",
        "Evaluating esl-round2",
        "Summarizing the models",
    }


def test_another_adaptation_trains_no_source_model(finished):
    jobs = finished.planned(change=gta2city(training={"source": {"adaptation": "none"}}))
    assert jobs >= ESL | {"Inferring maps with source, shard 1-of-2"}
    assert "Training the source model" not in jobs


@pytest.mark.parametrize("method", ["fda", "cbst"])
def test_a_second_method_on_the_same_maps_runs_no_inference(finished, method):
    jobs = finished.planned(change=gta2city(methods={method: {"rounds": 1}}))
    assert f"Training {method}-round1" in jobs
    assert not any(job.startswith("Inferring") for job in jobs)


def test_another_learning_rate_of_the_rounds_keeps_source_and_pseudo_labels(finished):
    jobs = finished.planned(change=gta2city(training={"round": {"learning_rate": 0.003}}))
    assert {job for job in jobs if job.startswith("Training")} == {f"Training {round_}" for round_ in ROUNDS}
    assert not any(job.startswith(("Inferring", "Choosing", "Writing pseudo")) for job in jobs)


def test_flip_reaches_every_stage_that_augments(finished):
    jobs = finished.planned(change=gta2city(training={"flip": 0}))
    trainings = {"Training the source model", *(f"Training {round_}" for round_ in ROUNDS)}
    assert jobs >= trainings | {"Adapting the batch norm of the source model to the target images"}
