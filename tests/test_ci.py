"""The script of continuous integration, with stand-ins for the programs that it runs."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.configs import PROJECT

LINT_AND_TEST = ["make lint", "make test, a browser required"]


def _programs(folder: Path, *names: str) -> None:
    """Stand-ins that write down how they were called; ``id`` says that root calls."""
    called = f'"$(basename "$0") $*${{REQUIRE_BROWSER:+, a browser required}}" >> {folder}/calls'
    for name in names:
        (folder / name).write_text(f"#!/bin/sh\n{'echo 0' if name == 'id' else f'echo {called}'}\n")
        (folder / name).chmod(0o755)
    for name in ("bash", "sh", "env", "dirname", "basename"):
        (folder / name).symlink_to(str(shutil.which(name)))


def _calls(folder: Path) -> list[str]:
    environment = {"PATH": str(folder)} | {name: value for name, value in os.environ.items() if name == "HOME"}
    run = subprocess.run([str(PROJECT / ".ci/run")], env=environment, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return (folder / "calls").read_text().splitlines()


@pytest.mark.parametrize("browser_program", ["chromium", "google-chrome"])
def test_ci_runs_the_linters_and_the_tests_none_of_which_may_skip_the_browser(
    tmp_path: Path, browser_program: str
) -> None:
    _programs(tmp_path, "make", "apt-get", "id", browser_program)
    assert _calls(tmp_path) == LINT_AND_TEST


def test_ci_installs_a_browser_where_there_is_none(tmp_path: Path) -> None:
    _programs(tmp_path, "make", "apt-get", "id")
    installed = ["apt-get update", "apt-get install --yes --no-install-recommends chromium"]
    assert _calls(tmp_path) == [*installed, *LINT_AND_TEST]


def test_ci_runs_without_a_package_manager(tmp_path: Path) -> None:
    _programs(tmp_path, "make", "id")
    assert _calls(tmp_path) == LINT_AND_TEST
