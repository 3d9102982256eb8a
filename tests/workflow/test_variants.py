"""Entries of `methods` with networks and trainings of their own: what Snakemake plans, and the whole chain."""

import json
import os
import time

import torch

from tests.workflow.jobs import SETTINGS, SUMMARY, gta2city

LOADER = '''
def load_weights(network, path):
    """Published weights that change nothing."""
'''
STUDENT = {"method": "esl", "network": "lraspp_mobilenet_v3_large", "round": {"initial": "fresh", "iterations": 3}}
LATE = {"method": "bdl", "after": "student", "network": "lraspp_mobilenet_v3_large", "target_size": "96x48"}
WEIGHTS = "weights/small.pth"
PUBLISHED = {"method": "control", "pretrained": WEIGHTS, "round": {"initial": "pretrained", "iterations": 2}}
# a student of three iterations predicts one class
CHANGE = gta2city(gate={"action": "warn"}, methods={"late": LATE, "student": STUDENT, "published": PUBLISHED})


def with_published_weights(project):
    """The small network starts from published weights, of which there is a file."""
    project.edit(
        "esl/models/registry.py",
        'NetworkEntry("esl.models.networks.small:SmallNetwork", blocks=True)',
        'NetworkEntry("esl.models.networks.small:SmallNetwork", blocks=True, loader="esl.models.ours:load_weights")',
    )
    (project.root / "esl/models/ours.py").write_text(LOADER)
    (project.root / WEIGHTS).parent.mkdir()
    (project.root / WEIGHTS).write_bytes(b"one")


def jobs_of(round_):
    """The jobs of a round whose teacher's maps are there."""
    return {
        f"Choosing thresholds for {round_}",
        f"Checking the teacher of {round_}",
        f"Writing pseudo-labels for {round_}",
        f"Training {round_}",
        f"Evaluating {round_}",
    }


def test_variants_of_a_finished_benchmark_plan_their_own_jobs_alone(finished):
    change = gta2city(methods={"student": STUDENT, "late": LATE})
    maps = {f"Inferring maps with student-round1, shard {shard}-of-2" for shard in (1, 2)}
    expected = {SETTINGS, SUMMARY, *maps, *jobs_of("student-round1"), *jobs_of("late-round1")}
    assert finished.planned(change=change) == expected


def test_teacher_and_student_of_different_networks_and_weights_that_count_by_their_content(own):
    with_published_weights(own)
    before = own.root / "results/gta2city/source/checkpoint.pt"
    trained = before.stat().st_mtime_ns
    run = own.snakemake(change=CHANGE)
    assert run.returncode == 0, run.stdout + run.stderr
    assert before.stat().st_mtime_ns == trained
    results = own.root / "results/gta2city"
    scores = json.loads((results / "miou.json").read_text())["models"]
    rounds = ["control-round1", "bdl-round1", "esl-round1", "student-round1", "late-round1", "published-round1"]
    assert [*scores] == ["source", "adapted", *rounds]

    def description(model):
        return torch.load(results / model / "checkpoint.pt", weights_only=True)["description"]

    networks = {model: description(model)["network"] for model in ("adapted", "student-round1", "late-round1")}
    assert networks == dict.fromkeys(networks, "lraspp_mobilenet_v3_large") | {"adapted": "small"}
    initial = {model: description(model)["provenance"].get("initial") for model in ("student-round1", "late-round1")}
    teachers = {model: json.loads((results / model / "thresholds.json").read_text()) for model in initial}
    assert initial == {"student-round1": None, "late-round1": teachers["late-round1"]["teacher_sha256"]}
    assert (teachers["student-round1"]["method"], teachers["late-round1"]["method"]) == ("esl", "bdl")

    assert own.planned(change=CHANGE) == set()
    later = time.time() + 60
    os.utime(own.root / WEIGHTS, (later, later))
    assert own.planned(change=CHANGE) == set()
    (own.root / WEIGHTS).write_bytes(b"other")
    assert own.planned(change=CHANGE) == {"Training published-round1", "Evaluating published-round1", SUMMARY}
