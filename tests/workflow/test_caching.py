"""What the README claims about caching: which change reruns which stages, and which changes nothing."""

import os
import time

import pytest

ESL = {
    "Choosing thresholds for esl-round1",
    "Looking at the teacher of esl-round1",
    "Writing pseudo-labels for esl-round1",
    "Training esl-round1",
    "Evaluating esl-round1",
    "Bringing models side by side",
}


def test_a_finished_benchmark_has_nothing_to_be_done(finished):
    assert finished.planned() == set()


def test_touching_every_file_reruns_nothing(finished):
    later = time.time() + 60
    for folder in ("esl", "workflow", "config"):
        for path in (finished.root / folder).rglob("*"):
            os.utime(path, (later, later))
    assert finished.planned() == set()


def test_comments_and_docstrings_rerun_nothing(edited):
    edited.edit("esl/confidence.py", "import math\n", "# a remark\nimport math\n")
    edited.edit("esl/training.py", '"""One training loop', '"""The one training loop')
    edited.edit("esl/selection.py", '    """The last code that', '    """The very last code that')
    assert edited.planned() == set()


def test_another_bound_reruns_only_what_follows_from_its_selection(finished):
    change = {"benchmarks": {"gta2city": {"methods": {"esl": {"bound": 0.2}}}}}
    assert finished.planned(change=change) == ESL


def test_a_gate_that_is_moved_is_looked_through_again_and_trains_nothing(finished):
    change = {"benchmarks": {"gta2city": {"gate": {"kept_max": 0.99}}}}
    rounds = ("control-round1", "bdl-round1", "esl-round1")
    assert finished.planned(change=change) == {f"Looking at the teacher of {round_}" for round_ in rounds}


def test_more_workers_and_more_frequent_states_train_nothing(finished):
    change = {"compute": {"workers": 2}, "training": {"save_every": 2}}
    assert finished.planned(change={"benchmarks": {"gta2city": change}}) == set()


def test_snapshots_asked_for_afterwards_and_less_memory_train_nothing(finished):
    change = {"compute": {"activation_checkpointing": True}, "training": {"snapshot_every": 3}}
    models = ("source", "control-round1", "bdl-round1", "esl-round1")
    assert finished.planned(change={"benchmarks": {"gta2city": change}}) == {
        *(f"Choosing among the snapshots of {model} by target labels" for model in models),
        "Bringing models side by side",
    }


def test_an_edit_of_the_confidence_code_reruns_inference_but_no_source_training(edited):
    edited.edit("esl/confidence.py", ".clamp(0, 1)", ".clamp(0.0, 1.0)")
    jobs = edited.planned()
    assert jobs >= ESL | {"Inferring maps of adapted, shard 1-of-2", "Inferring maps of adapted, shard 2-of-2"}
    assert "Training source model" not in jobs
    assert "Adapting the batch norm of source model to the target pictures" not in jobs
    assert not any(job.startswith(("Checking", "Rendering")) for job in jobs)


def test_an_edit_of_the_selection_code_reruns_neither_inference_nor_source_training(edited):
    edited.edit("esl/selection.py", "rank = min(round(pixels * quantile),", "rank = min(round(quantile * pixels),")
    jobs = edited.planned()
    assert jobs >= ESL
    assert not any(job.startswith(("Inferring", "Training source")) for job in jobs)


def test_an_edit_of_the_training_loop_reruns_every_training(edited):
    edited.edit("esl/training.py", "math.pow(1 - iteration", "math.pow(1.0 - iteration")
    jobs = edited.planned()
    assert jobs >= {"Training source model", "Training esl-round1", "Training control-round1"}
    assert not any(job.startswith(("Checking", "Rendering")) for job in jobs)


def test_another_round_runs_only_that_round(finished):
    change = {"benchmarks": {"gta2city": {"methods": {"esl": {"rounds": 2}}}}}
    assert finished.planned(change=change) == {
        "Inferring maps of esl-round1, shard 1-of-2",
        "Inferring maps of esl-round1, shard 2-of-2",
        "Choosing thresholds for esl-round2",
        "Looking at the teacher of esl-round2",
        "Writing pseudo-labels for esl-round2",
        "Training esl-round2",
        "Evaluating esl-round2",
        "Bringing models side by side",
    }


def test_another_adaptation_trains_no_source_model(finished):
    jobs = finished.planned(change={"benchmarks": {"gta2city": {"training": {"source": {"adaptation": "none"}}}}})
    assert jobs >= ESL | {"Inferring maps of source, shard 1-of-2"}
    assert "Training source model" not in jobs


@pytest.mark.parametrize("rule", ["fda", "cbst"])
def test_a_second_rule_on_the_same_maps_runs_no_inference(finished, rule):
    jobs = finished.planned(change={"benchmarks": {"gta2city": {"methods": {rule: {"rounds": 1}}}}})
    assert f"Training {rule}-round1" in jobs
    assert not any(job.startswith("Inferring") for job in jobs)


def test_another_learning_rate_of_the_rounds_keeps_source_and_pseudo_labels(finished):
    jobs = finished.planned(change={"benchmarks": {"gta2city": {"training": {"round": {"learning_rate": 0.003}}}}})
    assert {job for job in jobs if job.startswith("Training")} == {
        "Training control-round1",
        "Training bdl-round1",
        "Training esl-round1",
    }
    assert not any(job.startswith(("Inferring", "Choosing", "Writing")) for job in jobs)


def test_an_index_of_the_target_that_is_written_anew_trains_no_source_model(finished):
    path = finished.root / "results/gta2city/data/target_train.json"
    before = path.stat()
    later = time.time() + 60
    os.utime(path, (later, later))
    try:
        assert "Training source model" not in finished.planned()
    finally:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_mistyped_root_that_is_corrected_reruns_nothing(finished):
    run = finished.snakemake(change={"benchmarks": {"gta2city": {"source": {"root": "data/nowhere"}}}})
    assert run.returncode != 0
    assert finished.planned() == set()


def test_results_of_other_data_are_not_written_over(finished):
    data = finished.root / "data/other"
    data.mkdir()
    try:
        run = finished.snakemake("--dry-run", change={"benchmarks": {"gta2city": {"source": {"root": "data/other"}}}})
    finally:
        data.rmdir()
    assert run.returncode != 0
    assert "results/gta2city is of data/miniature/0/gta5, but benchmarks.gta2city is of data/other" in run.stdout
    assert finished.planned() == set()
