"""The shipped profiles: each plans with its plugin; the one for any scheduler tells it what jobs ask for."""

import os
import re
import stat
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest
import yaml

from tests.configs import PROJECT
from tests.workflow.conftest import Project

PROFILES = {path.parent.name: path for path in sorted((PROJECT / "workflow/profiles").glob("*/profile.yaml"))}

QSUB = """#!/bin/sh
echo "$@" >> "$(dirname "$0")/asked.txt"
for script; do :; done
sh "$script" > /dev/null 2>&1 &
echo $!
"""
"""A scheduler that starts every job at once."""


@pytest.mark.parametrize("name", PROFILES)
def test_each_profile_plans_the_same_jobs_with_its_plugin(rendered: Project, name: str) -> None:
    executor = yaml.safe_load(PROFILES[name].read_text()).get("executor")
    if executor and find_spec(f"snakemake_executor_plugin_{executor.replace('-', '_')}") is None:
        pytest.skip(f"snakemake-executor-plugin-{executor} is not installed")
    assert rendered.planned("--workflow-profile", f"workflow/profiles/{name}") == rendered.planned()


@pytest.mark.parametrize("name", PROFILES)
def test_a_comment_above_every_key_of_a_profile_says_what_it_is_for(name: str) -> None:
    lines = [line for line in PROFILES[name].read_text().splitlines() if line]
    assert lines[0].startswith("# ")
    for above, line in pairwise(lines):
        assert line.startswith((" ", "#")) or above.startswith("# "), line


@pytest.mark.slow
def test_any_scheduler_is_asked_for_threads_memory_minutes_and_gpus(
    fresh: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    qsub = tmp_path / "bin/qsub"
    qsub.parent.mkdir()
    qsub.write_text(QSUB)
    qsub.chmod(qsub.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{qsub.parent}:{os.environ['PATH']}")
    profile = ("--workflow-profile", "workflow/profiles/cluster-generic", "--latency-wait", "5")
    run = fresh.snakemake(
        *profile, "--seconds-between-status-checks", "1", targets=["results/gta2city/source/miou.json"]
    )
    assert run.returncode == 0, run.stdout + run.stderr
    asked = (qsub.parent / "asked.txt").read_text().splitlines()
    (training,) = [line for line in asked if "-N esl_train_source" in line]
    assert "-pe smp 2 -l mem_free=" in training and "-l gpu=0 " in training and "-l h_rt=00:31:00" in training


def test_every_job_that_a_round_waits_for_goes_before_evaluation():
    """Otherwise a gate of a second waits for evaluations, and a round of minutes for the gate."""
    rules = "\n".join(path.read_text() for path in sorted((PROJECT / "workflow/rules").glob("*.smk")))
    blocks = dict(re.findall(r"^rule (\w+):\n((?:(?!^\S).*\n?)*)", rules, re.M))
    urgent = {name for name, block in blocks.items() if "\n    priority: 1\n" in block}
    assert urgent == {"infer", "threshold", "gate", "pseudo_label", "label_shard", "train_source"}
