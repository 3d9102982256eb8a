"""What a cluster does to a training, for real: it ends with the bytes of an undisturbed one."""

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from tests.slurm.cluster import wait_for
from tests.slurm.conftest import Submitted
from tests.workflow.conftest import checkout

LONG = {"benchmarks": {"gta2city": {"training": {"save_every": 100_000, "source": {"iterations": 150}}}}}
"""A training of half a minute or more that saves its state only when it is told to end."""

CHECKPOINT = "source/checkpoint.pt"


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The SHA-256 of the checkpoint of the same training on this machine, undisturbed."""
    project = checkout(tmp_path_factory.mktemp("undisturbed") / "project")
    run = project.snakemake(change=LONG, targets=[f"results/gta2city/{CHECKPOINT}"])
    assert run.returncode == 0, run.stdout + run.stderr
    return digest(project.root)


def digest(root: Path) -> str:
    """The SHA-256 of the source model's checkpoint."""
    return hashlib.sha256((root / f"results/gta2city/{CHECKPOINT}").read_bytes()).hexdigest()


def log_of(root: Path) -> str:
    """The log of the training so far."""
    log = root / "logs/gta2city/source/train.log"
    return log.read_text() if log.exists() else ""


def training_job(submitted: Submitted) -> str:
    """The number of the training's job, once it has gone through some images."""
    wait_for("the training to begin", lambda: "image/s" in log_of(submitted.root), 180)
    time.sleep(3)
    (job,) = [job for job in submitted.cluster.jobs if job["JobState"] == "RUNNING"]
    return job["JobId"]


def test_a_cancelled_training_saves_its_state_and_the_job_that_follows_goes_on(
    submitted: Submitted, expected: str
) -> None:
    process = submitted.start(change=LONG, target=CHECKPOINT)
    submitted.cluster.output("scancel", training_job(submitted))
    wait_for("the state to be saved", lambda: "saved on SIGTERM after" in log_of(submitted.root), 60)
    assert process.wait(timeout=600) == 0, submitted.output
    states = [job["JobState"] for job in submitted.cluster.jobs if "rule_train_source" in job.get("Comment", "")]
    assert states[-2:] == ["CANCELLED", "COMPLETED"]
    assert "resum" in log_of(submitted.root)
    assert digest(submitted.root) == expected


def test_a_training_that_reaches_its_time_limit_goes_on_in_the_next_job(submitted: Submitted, expected: str) -> None:
    """A minute is the shortest limit; the training is held for so long, as on a slow machine."""
    process = submitted.start(change=LONG, target=CHECKPOINT)
    job = training_job(submitted)
    submitted.cluster.output("scontrol", "update", f"JobId={job}", "TimeLimit=1")
    (training,) = submitted.cluster.tasks_of("esl.stages.train")
    os.kill(training, signal.SIGSTOP)
    wait_for("the limit", lambda: submitted.cluster.state_of(job) != "RUNNING", 180)
    os.kill(training, signal.SIGCONT)
    assert process.wait(timeout=600) == 0, submitted.output
    assert submitted.cluster.state_of(job) == "TIMEOUT"
    assert digest(submitted.root) == expected


SAVING = {"benchmarks": {"gta2city": {"training": {"save_every": 10, "source": {"iterations": 150}}}}}
"""The same training, with a state to go on from every second or two; its bytes do not depend on that."""


def test_a_training_that_needs_more_memory_gets_it_in_the_next_job(submitted: Submitted, expected: str) -> None:
    """The plan's own estimate fits; a user's that does not, and grows with each attempt, is put right by retries."""
    before = len(submitted.cluster.jobs)
    memory = ("--set-resources", "train_source:mem_mb=attempt*attempt*300")
    assert submitted.run(*memory, change=SAVING, target=CHECKPOINT) == 0, submitted.output
    jobs = [job for job in submitted.cluster.jobs[before:] if "rule_train_source" in job.get("Comment", "")]
    first, *_, last = jobs
    assert first["JobState"] in ("OUT_OF_MEMORY", "FAILED") and last["JobState"] == "COMPLETED"
    assert "Exceeded job memory limit" in Path(first["StdOut"]).read_text()  # whichever of its steps it ended first
    assert digest(submitted.root) == expected


def test_a_job_whose_node_goes_down_is_run_again_when_the_node_is_back(submitted: Submitted, expected: str) -> None:
    process = submitted.start(change=SAVING, target=CHECKPOINT)
    job = training_job(submitted)
    submitted.cluster.lose_node()
    wait_for("the controller to miss the node", lambda: submitted.cluster.state_of(job) != "RUNNING", 120)
    submitted.cluster.start_node()
    assert process.wait(timeout=600) == 0, submitted.output
    assert int(next(known for known in submitted.cluster.jobs if known["JobId"] == job)["Restarts"]) == 1
    assert "resuming at iteration" in log_of(submitted.root)
    assert digest(submitted.root) == expected


def test_a_snakemake_that_was_killed_and_typed_again_while_its_job_runs_trains_nothing_twice(
    submitted: Submitted, expected: str
) -> None:
    killed = submitted.start(change=SAVING, target=CHECKPOINT)
    first = training_job(submitted)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.wait()
    assert submitted.run("--unlock", change=SAVING, target=CHECKPOINT) == 0, submitted.output
    assert submitted.run(change=SAVING, target=CHECKPOINT) == 0, submitted.output
    jobs = [job for job in submitted.cluster.jobs if int(job["JobId"]) >= int(first)]
    assert [job["JobState"] for job in jobs] == ["COMPLETED", "COMPLETED"]
    assert "is training this model; waiting until it ends" in log_of(submitted.root)
    assert digest(submitted.root) == expected


def test_two_tasks_of_srun_train_what_two_processes_do(submitted: Submitted, tmp_path: Path) -> None:
    change = {"benchmarks": {"gta2city": {"training": {"source": {"iterations": 10}}}}}
    project = checkout(tmp_path / "two processes")
    two = ("--resources", "gpu=2", "--set-resources", "train_source:gpu=2")
    run = project.snakemake(*two, change=change, targets=[f"results/gta2city/{CHECKPOINT}"])
    assert run.returncode == 0, run.stdout + run.stderr
    assert (
        submitted.run(*two, "train_source:mpi=srun", "train_source:tasks_per_node=2", change=change, target=CHECKPOINT)
        == 0
    ), submitted.output
    assert digest(submitted.root) == digest(project.root)
