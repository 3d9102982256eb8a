"""What a cluster does to a training, for real: it ends with the bytes of an undisturbed one."""

import hashlib
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
    process = submitted.start(change=LONG, target=CHECKPOINT)
    job = training_job(submitted)
    submitted.cluster.output("scontrol", "update", f"JobId={job}", "TimeLimit=0:01")  # has passed: ended at once
    assert process.wait(timeout=600) == 0, submitted.output
    assert submitted.cluster.state_of(job) == "TIMEOUT"
    assert digest(submitted.root) == expected
