"""The whole chain through Slurm: every job seen in the scheduler's own log, the same bytes as without it."""

from tests.slurm.conftest import Submitted
from tests.workflow.conftest import digests


def test_the_chain_runs_as_jobs_of_the_scheduler_and_gives_the_bytes_of_a_local_run(
    submitted: Submitted, undisturbed: dict[str, str]
) -> None:
    before = len(submitted.cluster.jobs)
    gpus = ("--set-resources", "train_source:gpu=1", "train_round:gpu=1")
    assert submitted.run(*gpus) == 0, submitted.output
    jobs = submitted.cluster.jobs[before:]
    assert {job["JobState"] for job in jobs} == {"COMPLETED"}
    assert len(jobs) > 15
    assert sum("gpu:1" in job.get("TresPerJob", "") for job in jobs) == 4
    assert digests(submitted.root) == undisturbed
