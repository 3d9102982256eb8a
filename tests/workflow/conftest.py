"""A copy of the project in which Snakemake runs on a tiny miniature."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]

TINY: dict[str, Any] = {
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
            "methods": {"control": {"rounds": 1}, "bdl": {"rounds": 1}, "esl": {"rounds": 1}},
        }
    },
}


def merged(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """``base`` with the keys of ``change`` put in, at any depth."""
    result = dict(base)
    for key, value in change.items():
        result[key] = merged(result.get(key, {}), value) if isinstance(value, dict) else value
    return result


@dataclass
class Project:
    """A checkout in ``root`` whose config is the shipped one with TINY over it."""

    root: Path

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
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *targets, *arguments]
        environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
        return subprocess.run(
            [*command, "--configfile", "tiny.yaml"], cwd=self.root, env=environment, capture_output=True, text=True
        )

    def plain(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs ``snakemake`` as it is typed, with the shipped config."""
        command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
        return subprocess.run(command, cwd=self.root, capture_output=True, text=True)

    def planned(self, *arguments: str, change: dict[str, Any] | None = None) -> set[str]:
        """The jobs of a dry-run, by their messages without the benchmark's name; empty when nothing is to be done."""
        run = self.snakemake("--dry-run", *arguments, change=change)
        assert run.returncode == 0, run.stdout + run.stderr
        return {
            message.replace("gta2city's ", "")
            for message in re.findall(r"^Job \d+: (.*)$", run.stderr + run.stdout, re.M)
        }

    def edit(self, file: str, old: str, new: str) -> None:
        """Replaces ``old``, which must be there, in a file of the checkout."""
        path = self.root / file
        text = path.read_text()
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1))


def checkout(root: Path) -> Project:
    """The project's code and config, copied to ``root``."""
    for folder in ("esl", "workflow", "config"):
        shutil.copytree(PROJECT / folder, root / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(PROJECT / "environment.yml", root)
    return Project(root)


@pytest.fixture(scope="session")
def tiny() -> dict[str, Any]:
    """What the config of a checkout has over the shipped one."""
    return TINY


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A checkout in which the whole chain has run; tests leave it as it was."""
    project = checkout(tmp_path_factory.mktemp("finished"))
    run = project.snakemake()
    assert run.returncode == 0, run.stdout + run.stderr
    return project


@pytest.fixture
def edited(finished: Project) -> Iterator[Project]:
    """The finished checkout, whose code is put back after the test."""
    yield finished
    for folder in ("esl", "workflow"):
        shutil.copytree(PROJECT / folder, finished.root / folder, dirs_exist_ok=True)


@pytest.fixture
def fresh(tmp_path: Path) -> Project:
    """A checkout in which nothing has run."""
    return checkout(tmp_path)


@pytest.fixture
def rendered(fresh: Project) -> Project:
    """A checkout in which only the miniature has been rendered."""
    run = fresh.snakemake(targets=[f"data/miniature/0/{layout}.json" for layout in ("gta5", "cityscapes")])
    assert run.returncode == 0, run.stdout + run.stderr
    return fresh
