"""Whatever ends a run, one command finishes it, with the bytes of a run that nothing disturbed."""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from esl.stages.verify import main as verify
from tests.faults.campaign import SIGNALS, TARGETS, Run, Table, fault_of_a_job, jobs_of, start
from tests.workflow.conftest import Project, checkout, digests

FAULTS = int(os.environ.get("FAULTS", "200"))
"""How many faults the long form sends; a tenth of them to whole runs."""

SEED = int(os.environ.get("FAULTS_SEED", "0"))
"""Which faults, and when."""


@pytest.fixture(scope="module")
def table() -> Iterator[Table]:
    """Counts of all faults, printed at the end."""
    counts = Table()
    yield counts
    print(f"\n{counts}")


@pytest.fixture(scope="module")
def drawn(run_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A finished checkout with a figure, too; every test leaves it whole."""
    root = tmp_path_factory.mktemp("faults") / "project"
    shutil.copytree(run_once, root)
    project = Project(root)
    run = project.snakemake(targets=TARGETS)
    assert run.returncode == 0, run.stdout + run.stderr
    return project


def test_a_job_that_is_killed_leaves_no_half_written_file_and_runs_again(drawn: Project) -> None:
    """The short form: stages of seconds, each ended once."""
    chance = random.Random(0)
    jobs = {job.name: job for job in jobs_of(drawn)}
    for name, number in zip(("threshold", "pseudo_label", "gate"), SIGNALS, strict=True):
        _, mistakes = fault_of_a_job(drawn, jobs[name], number, chance.random())
        assert not mistakes, "\n".join(mistakes)


@pytest.mark.faults
def test_every_stage_at_random_moments(drawn: Project, table: Table) -> None:
    chance = random.Random(1 + SEED)
    jobs = jobs_of(drawn)
    assert {"index", "train", "adapt", "infer", "threshold", "pseudo_label", "evaluate", "summarize"} <= {
        job.name for job in jobs
    }
    wrong = []
    for count in range(FAULTS * 9 // 10):
        job, number = jobs[count % len(jobs)], chance.choice(SIGNALS)
        outcome, mistakes = fault_of_a_job(drawn, job, number, chance.random())
        table.rows[number.name, job.name, "; ".join(mistakes) or outcome] += 1
        wrong += mistakes
    assert not wrong, "\n".join(wrong)


@pytest.mark.faults
@pytest.mark.parametrize("seed", range(4))
def test_snakemake_at_random_moments(
    run_once: Path, tmp_path: Path, table: Table, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(seed + 4 * SEED)
    run = Run(checkout(tmp_path / "project"), chance)
    for _ in range(FAULTS // 40):
        number, whole = chance.choice(SIGNALS), chance.random() < 0.5
        outcome = run.fault(number, whole, longest=60)
        table.rows[number.name, "snakemake and its jobs" if whole else "snakemake", outcome] += 1
    assert run.start().wait() == 0, run.output[-3000:]
    assert run.start("--dry-run").wait() == 0 and "Nothing to be done" in run.output[-2000:]
    monkeypatch.chdir(run.project.root)
    verify(["results/gta2city"])
    for left in Path("results").rglob(".*.part"):
        left.unlink()
    assert digests(run.project.root) == digests(run_once)


@pytest.mark.faults
def test_a_full_disk_is_one_line_and_the_run_goes_on_when_there_is_space(
    run_once: Path, tmp_path: Path, table: Table
) -> None:
    project = checkout(tmp_path / "project")
    results = project.root / "results"
    results.mkdir()
    shutil.copytree(run_once / "data", project.root / "data", copy_function=shutil.copy2)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", results], capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here (root)")
    try:
        for size in ("400k", "1m", "2m", "4m"):
            run = project.snakemake()
            said = run.stdout + run.stderr
            assert run.returncode == 0 or "Traceback" not in said, said[-3000:]
            assert run.returncode == 0 or "No space left" in said, said[-3000:]
            table.rows["disk full", "results", "recovered"] += run.returncode != 0
            subprocess.run(["mount", "-o", f"remount,size={size}", results], check=True)
        subprocess.run(["mount", "-o", "remount,size=1g", results], check=True)
        run = project.snakemake()
        assert run.returncode == 0, run.stdout + run.stderr
        assert digests(project.root) == digests(run_once)
    finally:
        subprocess.run(["umount", results], check=True)


@pytest.mark.faults
def test_two_at_once_the_second_says_that_the_folder_is_locked(run_once: Path, tmp_path: Path, table: Table) -> None:
    run = Run(checkout(tmp_path / "project"), random.Random(0))
    first = run.start()
    while not (run.project.root / "data").exists():
        assert first.poll() is None
    assert run.start().wait() == 1 and "--unlock" in run.output
    assert first.wait() == 0, run.output[-3000:]
    assert digests(run.project.root) == digests(run_once)
    table.rows["two at once", "snakemake", "recovered"] += 1


@pytest.mark.faults
def test_results_that_were_copied_elsewhere_are_whole(own: Project, tmp_path: Path, table: Table) -> None:
    copied = Project(tmp_path / "copied")
    subprocess.run(["cp", "-a", own.root, copied.root], check=True)
    assert copied.planned() == set()
    table.rows["copied", "results", "recovered"] += 1


@pytest.mark.faults
def test_an_image_that_vanishes_while_a_training_reads_is_one_line(own: Project, table: Table) -> None:
    job = next(job for job in jobs_of(own) if "source/checkpoint.pt" in str(job.output))
    log = own.root / job.command.rpartition(" > ")[2].split()[0]
    expected = digests(own.root)
    image = next((own.root / "data/miniature/0/gta5").rglob("images/*.png"))
    for content in (None, image.read_bytes()[:100]):
        whole = image.read_bytes()
        (own.root / job.output).unlink()
        image.unlink() if content is None else image.write_bytes(content)
        assert start(own, job.command).wait() == 1
        said = log.read_text()
        assert "Traceback" not in said and image.name in said.splitlines()[-1], said[-2000:]
        image.write_bytes(whole)
        assert start(own, job.command).wait() == 0
        assert digests(own.root) == expected
        table.rows["vanished" if content is None else "cut", "image", "recovered"] += 1
