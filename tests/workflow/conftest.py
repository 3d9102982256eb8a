"""Copies of the project in which Snakemake runs on a tiny miniature."""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from filelock import FileLock

from tests.configs import PROJECT, SMALL, merged
from tests.dry_runs import dry_run
from tests.viewer.conftest import browser

__all__ = ["browser"]

CODE = ("esl", "miniature", "workflow")
RECORDER = Path(__file__).with_name("recorder")

TINY: dict[str, Any] = merged(
    SMALL,
    {
        "miniature": {"width": 128, "height": 64, "source": 12, "target_train": 10, "target_val": 6},
        "benchmarks": {
            "gta2city": {
                "training": {
                    "crop": "128x64",
                    "log_every": 4,
                    "save_every": 4,
                    "source": {"iterations": 12},
                    "round": {"iterations": 6},
                },
            }
        },
    },
)


@dataclass
class Project:
    """A checkout in ``root`` whose config is the shipped one with TINY over it."""

    root: Path
    recorded: Path | None = None
    """A folder for records of what jobs import and of the roots of their digests; ``None``: nothing is recorded."""

    def snakemake(
        self,
        *arguments: str,
        change: dict[str, Any] | None = None,
        tiny: dict[str, Any] = TINY,
        targets: Sequence[str] = ("results/gta2city/miou.json",),
    ) -> subprocess.CompletedProcess[str]:
        """Runs ``snakemake`` for ``targets`` with ``change`` over the tiny config."""
        overlay = self.root / "tiny.yaml"
        overlay.write_text(yaml.safe_dump(merged(tiny, change or {}), sort_keys=False))
        return self.plain("--cores", "2", *targets, *arguments, "--configfile", "tiny.yaml")

    def plain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs ``snakemake`` as it is typed; a dry-run in a fork of a process that has imported Snakemake."""
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        if "--dry-run" in arguments:
            return dry_run(self.root, environment, *arguments)
        command = [sys.executable, "-m", "snakemake", *arguments]
        if self.recorded is not None:
            self.recorded.mkdir(exist_ok=True)
            command[2] = "recorded_snakemake"
            environment |= {"PYTHONPATH": str(RECORDER), "RECORDED": str(self.recorded)}
        return subprocess.run(command, cwd=self.root, env=environment, capture_output=True, text=True)

    def planned(self, *arguments: str, change: dict[str, Any] | None = None, **options: Any) -> set[str]:
        """The jobs of a dry-run, by their messages without the benchmark's name; empty when there is nothing to do."""
        run = self.snakemake("--dry-run", *arguments, change=change, **options)
        assert run.returncode == 0, run.stdout + run.stderr
        messages = re.findall(r"^ *Job \d+: (.*)$", run.stderr + run.stdout, re.M)
        return {message.replace(" of gta2city", "") for message in messages}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces ``old``, which must be there, in a file of the checkout."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))

    def apply(self, diff: str) -> None:
        """Applies a diff to the checkout."""
        environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(self.root.parent)}
        subprocess.run(["git", "apply", "-"], input=diff, text=True, cwd=self.root, env=environment, check=True)


def checkout(root: Path) -> Project:
    """The project's code and config, copied to ``root``."""
    for folder in (*CODE, "config"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "environment.yml", root)
    return Project(root)


def digests(root: Path) -> dict[str, str]:
    """The SHA-256 of every result below ``root``, by path, but for the dates of data files that an index keeps."""
    results = root / "results"
    files = sorted(path for path in results.rglob("*") if path.is_file() and not path.name.endswith(".files.json"))
    return {str(path.relative_to(results)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """What the config of a checkout has over the shipped one."""
    return TINY


@pytest.fixture(scope="session")
def make_checkout(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Project]:
    """Makes a checkout in a folder of the given name."""
    return lambda name: checkout(tmp_path_factory.mktemp(name) / "project")


@pytest.fixture(scope="session")
def run_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout in which the whole chain has run; test processes share it, so nothing may change it."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent
    root = shared / "run_once"
    with FileLock(f"{root}.lock"):
        if not (root / "done").is_file():
            project = checkout(root)
            project.recorded = root / "recorded"
            run = project.snakemake()
            assert run.returncode == 0, run.stdout + run.stderr
            (root / "done").touch()
    return root


@pytest.fixture(scope="session")
def finished(run_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A copy of that checkout for this test process; tests leave it as it was."""
    root = tmp_path_factory.mktemp("finished") / "project"
    shutil.copytree(run_once, root)
    return Project(root)


@pytest.fixture
def edited(finished: Project) -> Iterator[Project]:
    """The finished checkout, whose code is restored after the test."""
    yield finished
    for folder in CODE:
        shutil.rmtree(finished.root / folder)
        shutil.copytree(PROJECT / folder, finished.root / folder, ignore=shutil.ignore_patterns("__pycache__"))


@pytest.fixture
def own(run_once: Path, tmp_path: Path) -> Project:
    """A finished checkout for one test alone, which may change anything in it."""
    shutil.copytree(run_once, tmp_path / "project")
    return Project(tmp_path / "project")


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A checkout in which nothing has run."""
    return checkout(tmp_path / "project")


@pytest.fixture
def rendered(fresh: Project, run_once: Path) -> Project:
    """A checkout in which only the miniature has been rendered."""
    shutil.copytree(run_once / "data", fresh.root / "data")
    shutil.copytree(run_once / ".snakemake", fresh.root / ".snakemake")
    return fresh
