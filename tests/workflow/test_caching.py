"""What the README says about caching: which change reruns which stages, and which reruns nothing."""

import json
import os
import time

import numpy as np
import pytest
from PIL import Image

from tests.documents import extending_sections

SECTIONS = extending_sections()

ESL = {
    "Choosing thresholds for esl-round1",
    "Checking the teacher of esl-round1",
    "Writing pseudo-labels for esl-round1",
    "Training esl-round1",
    "Evaluating esl-round1",
    "Summarizing the models",
}
ROUNDS = ("control-round1", "bdl-round1", "esl-round1")
SUMMARY = "Summarizing the models"
SETTINGS = "Writing all settings"
COMPUTE = ("Training", "Inferring", "Adapting", "Evaluating")


def gta2city(**benchmark):
    return {"benchmarks": {"gta2city": benchmark}}


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
        '_of_cityscapes("cityscapes19"),',
        """_of_cityscapes("cityscapes19"),
        _of_cityscapes("cityscapes18", without=("train",)),""",
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


# --------------------------------------------------------------------------------------------- the data are an input


def a_file(project, pattern):
    return min((project.root / "data/miniature/0").glob(pattern))


def test_a_validation_label_that_was_corrected_is_indexed_again_and_every_model_scored_again(own):
    path = a_file(own, "cityscapes/gtFine/val/*/*_labelIds.png")
    label = np.array(Image.open(path))
    label[0, 0] = 7 if label[0, 0] != 7 else 8
    Image.fromarray(label).save(path)
    jobs = own.planned()
    assert jobs == {
        "Checking every file of the target_val data",
        *(f"Evaluating {model}" for model in ("source", "adapted", *ROUNDS)),
        "Summarizing the models",
    }


def test_an_image_that_was_added_to_the_source_is_indexed_and_trained_on(own):
    for folder in ("images", "labels"):
        path = a_file(own, f"gta5/{folder}/*.png")
        (path.parent / "99999.png").write_bytes(path.read_bytes())
    jobs = own.planned()
    assert jobs >= {"Checking every file of the source data", "Training the source model", "Training esl-round1"}
    assert not any("target_" in job for job in jobs)


def test_a_target_image_that_was_replaced_reruns_inference_but_no_source_training(own):
    path = a_file(own, "cityscapes/leftImg8bit/train/*/*.png")
    Image.fromarray(np.array(Image.open(path))[::-1]).save(path)
    jobs = own.planned()
    assert jobs >= ESL | {"Checking every file of the target_train data", "Inferring maps with adapted, shard 1-of-2"}
    assert "Training the source model" not in jobs


def test_after_the_data_changed_one_run_brings_everything_up_to_date(own):
    path = a_file(own, "cityscapes/gtFine/val/*/*_labelIds.png")
    Image.fromarray(np.full_like(np.array(Image.open(path)), 7)).save(path)
    run = own.snakemake()
    assert run.returncode == 0, run.stdout + run.stderr
    assert own.planned() == set()


def test_an_index_of_the_target_that_is_written_again_trains_no_source_model(own):
    path = own.root / "results/gta2city/data/target_train.json"
    later = time.time() + 60
    os.utime(path, (later, later))
    assert "Training the source model" not in own.planned()


def test_after_a_failed_index_its_advice_keeps_every_model(own):
    label = a_file(own, "gta5/labels/*.png")
    content = label.read_bytes()
    label.write_bytes(b"damaged")
    index = "results/gta2city/data/source.json"
    failed = own.snakemake()
    assert failed.returncode != 0 and not (own.root / index).exists()
    assert f"run `snakemake --cores 1 {index}` by itself first" in failed.stdout + failed.stderr
    label.write_bytes(content)
    assert own.snakemake(targets=(index,)).returncode == 0
    assert own.planned() == set()


def test_a_mistyped_root_that_is_corrected_reruns_nothing(finished):
    run = finished.snakemake(change=gta2city(source={"root": "data/nowhere"}))
    assert run.returncode != 0
    assert finished.planned() == set()


def test_results_of_other_data_are_not_overwritten(own):
    (own.root / "data/other").mkdir()
    run = own.snakemake("--dry-run", change=gta2city(source={"root": "data/other"}))
    assert run.returncode != 0
    message = (
        "results/gta2city holds results of data/miniature/0/gta5, but benchmarks.gta2city.source.root is data/other"
    )
    assert message in run.stderr
    assert own.planned() == set()


# -------------------------------------------------- two changes at once, one of them behind an `ancient` input


TRAINED_ESL = ["results/gta2city/esl-round1/train.csv"]
MOVED_GATE = {"gate": {"kept_max": 0.99}}


def correct_a_validation_label(project):
    Image.fromarray(np.full((64, 128), 7, np.uint8)).save(a_file(project, "cityscapes/gtFine/val/*/*_labelIds.png"))


def test_a_moved_gate_hides_no_other_setting(finished):
    change = gta2city(**MOVED_GATE, training={"round": {"learning_rate": 0.003}})
    assert finished.planned(change=change) >= {f"Training {round_}" for round_ in ROUNDS}


def test_corrected_validation_labels_hide_no_other_setting(own):
    correct_a_validation_label(own)
    jobs = own.planned(change=gta2city(methods={"esl": {"bound": 0.2}}))
    assert jobs >= {"Checking every file of the target_val data", *ESL}
    jobs = own.planned(change=gta2city(training={"source": {"learning_rate": 0.003}}))
    assert jobs >= {"Checking every file of the target_val data", "Training the source model"}


def test_corrected_validation_labels_hide_no_change_of_the_code(own):
    correct_a_validation_label(own)
    own.edit("esl/labels/measures/entropy.py", 'sure: Sure = "low"', 'sure: Sure = "low" + ""')
    assert own.planned() >= {"Inferring maps with adapted, shard 1-of-2", *ESL}


def test_a_moved_gate_hides_no_change_of_the_evaluation(edited):
    edited.edit("esl/evaluation/metrics.py", "NUM_COPIES = 4", "NUM_COPIES = 2 + 2")
    assert edited.planned(change=gta2city(**MOVED_GATE)) >= {"Evaluating esl-round1", "Evaluating source", SUMMARY}


def test_a_moved_gate_hides_no_missing_file(own):
    for name in ("miou.json", "esl-round1/train.csv"):
        (own.root / "results/gta2city" / name).unlink()
    jobs = own.planned(change=gta2city(**MOVED_GATE), targets=["results/gta2city/miou.json", *TRAINED_ESL])
    assert jobs >= {SUMMARY, "Training esl-round1"}


def test_two_changes_at_once_are_both_in_the_result(own):
    correct_a_validation_label(own)
    change = gta2city(methods={"esl": {"bound": 0.2}})
    run = own.snakemake(change=change)
    assert run.returncode == 0, run.stdout + run.stderr
    thresholds = json.loads((own.root / "results/gta2city/esl-round1/thresholds.json").read_text())
    assert thresholds["parameters"]["bound"] == 0.2
    assert own.planned(change=change) == set()
