"""Faults at random moments: jobs and whole runs that are killed, and what is seen afterwards."""

import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import yaml

from tests.workflow.conftest import TINY, Project, digests

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)

TARGETS = ("results/gta2city/miou.json", "results/gta2city/esl-round1/gallery.png")


@dataclass(frozen=True)
class Job:
    """The shell command of a job, and the file that it writes last."""

    name: str
    command: str
    output: Path


@dataclass
class Table:
    """Counts of faults by kind and stage, and of what became of them."""

    rows: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def __str__(self) -> str:
        lines = ["| fault | where | outcome | count |", "|---|---|---|---:|"]
        return "\n".join([*lines, *(f"| {' | '.join(row)} | {count} |" for row, count in sorted(self.rows.items()))])


def jobs_of(project: Project) -> list[Job]:
    """Every job of a finished run that runs a stage, as Snakemake would start it again."""
    run = project.snakemake("--dry-run", "--forceall", "--printshellcmds", targets=TARGETS)
    assert run.returncode == 0, run.stdout + run.stderr
    found = {}
    for line in (run.stdout + run.stderr).splitlines():
        if (module := re.search(r"-m (esl\.stages\.\w+) ", line)) and (output := re.search(r" --output (\S+)", line)):
            command = line.strip().removeprefix("Shell command: ")
            found[output[1]] = Job(module[1].removeprefix("esl.stages."), command, Path(output[1]))
    return list(found.values())


def environment() -> dict[str, str]:
    """That of a job: this project's Python comes first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": "."}


def start(project: Project, command: str) -> "subprocess.Popen[bytes]":
    """A shell command in a process group of its own, without output."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    words = ["bash", "-c", command]
    return subprocess.Popen(words, cwd=project.root, env=environment(), start_new_session=True, **quiet)


def end(process: "subprocess.Popen[bytes]", number: signal.Signals) -> bool:
    """Sends a signal to the whole group; whether it came before the end. Waits until all of the group has ended."""
    before = process.poll() is None
    if before:
        os.killpg(process.pid, number)
    process.wait(timeout=60)
    return before


def fault_of_a_job(project: Project, job: Job, number: signal.Signals, share: float) -> tuple[str, list[str]]:
    """One job, ended after a ``share`` of its time; what was seen, and what is wrong afterwards.

    ``project`` has finished; its job is run once more without a fault, so that it is whole again.
    """
    expected = digests(project.root)
    mistakes = []
    begun = time.monotonic()
    assert start(project, job.command).wait() == 0, job.command
    duration = time.monotonic() - begun
    (project.root / job.output).unlink()
    process = start(project, job.command)
    time.sleep(share * duration)
    outcome = "ended first" if not end(process, number) else "recovered"
    mistakes += [
        f"{job.name}: {path} is half-written or another file after {number.name}"
        for path, digest in digests(project.root).items()
        if not Path(path).name.startswith((".", "last.pt", "train.lock")) and expected.get(path) not in (digest, None)
    ]
    if start(project, job.command).wait() != 0:
        mistakes.append(f"{job.name}: does not run again after {number.name}")
    for left in (project.root / "results").rglob(".*.part"):
        left.unlink() if left.is_file() else shutil.rmtree(left)
    after = digests(project.root)
    mistakes += [
        f"{job.name}: {path} differs from an undisturbed run's after {number.name}"
        for path in expected.keys() | after.keys()
        if expected.get(path) != after.get(path)
    ]
    return outcome, mistakes


class Run:
    """Runs of ``snakemake`` in a fresh checkout that are ended at random moments until one is left alone."""

    def __init__(self, project: Project, chance: random.Random) -> None:
        self.project = project
        self._chance = chance
        (project.root / "tiny.yaml").write_text(yaml.safe_dump(TINY, sort_keys=False))

    def start(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """``snakemake`` as it is typed, in a process group of its own."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments, "--configfile", "tiny.yaml"]
        with (self.project.root / "output.txt").open("ab") as output:
            return subprocess.Popen(
                [*command, "--", *TARGETS[:1]],
                cwd=self.project.root,
                env=environment(),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def fault(self, number: signal.Signals, whole_group: bool, longest: float) -> str:
        """Ends a run by a signal, to ``snakemake`` alone or to its whole group as Ctrl-C does; what was seen."""
        process = self.start()
        try:
            process.wait(timeout=self._chance.uniform(2, longest))
        except subprocess.TimeoutExpired:
            (os.killpg if whole_group else os.kill)(process.pid, number)
            process.wait(timeout=180)
            outcome = "recovered"
        else:
            assert process.returncode == 0, self.output[-3000:]
            outcome = "ended first"
        self.wait_for_jobs()
        assert self.start("--unlock").wait() == 0
        return outcome

    def wait_for_jobs(self) -> None:
        """Nothing is left running: every job ends soon after its ``snakemake``."""
        deadline = time.monotonic() + 30
        while left := self._running():
            assert time.monotonic() < deadline, f"still running: {left}"
            time.sleep(0.2)

    def _running(self) -> list[str]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.cwd() == str(self.project.root) and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(" ".join(process.cmdline()[:6]))
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        return found

    @property
    def output(self) -> str:
        """Everything that Snakemake has said."""
        return (self.project.root / "output.txt").read_text()
