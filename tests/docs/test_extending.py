"""docs/extending.md: every diff applies to a copy of the project, and the checks of the page then pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.configs import PROJECT
from tests.documents import extending_sections

COPIED = ("esl", "miniature", "workflow", "config", "examples", "tests")
SECTIONS = extending_sections()
CONTRACTS = (
    "tests/labels/methods/test_registry.py",
    "tests/labels/measures/test_measures.py",
    "tests/models/test_registry.py",
    "tests/planning/test_manual.py",
)
"""The project's tests of every row of a registry, and of the manual."""
ROWS = ("plain", "gini", "dilated")
"""The rows of the page that these tests have a parameter for."""


def _environment(copy: Path) -> dict[str, str]:
    """The copy comes first on the path, also before an installed project; no repository around it is git's."""
    ceiling = {"GIT_CEILING_DIRECTORIES": str(copy.parent)}
    return os.environ | ceiling | {"PYTHONPATH": f"{copy}{os.pathsep}{copy / 'workflow'}"}


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project with every diff of the page applied, one after the other."""
    copy = tmp_path_factory.mktemp("extending") / "project"
    for name in COPIED:
        shutil.copytree(PROJECT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    shutil.copy(PROJECT / "pyproject.toml", copy)
    for title, blocks in SECTIONS.items():
        done = subprocess.run(
            ["git", "apply", "--verbose", "-"], input=blocks["diff"], text=True, cwd=copy, env=_environment(copy),
            capture_output=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{title}: {done.stderr}"
    return copy


def test_the_page_has_a_diff_and_a_block_that_checks_it_in_every_section() -> None:
    assert {title: sorted(blocks) for title, blocks in SECTIONS.items()} == {
        title: ["diff", "python"] for title in SECTIONS
    }
    assert {"Add a method", "Add a measure"} <= SECTIONS.keys()


@pytest.mark.parametrize("title", SECTIONS)
def test_a_diff_changes_no_existing_file_but_one_registry(title: str) -> None:
    """So no existing result is computed again: the code digest ignores registries."""
    changed = re.findall(r"^--- a/(.+)$", SECTIONS[title]["diff"], re.M)
    assert len(changed) == 1 and Path(changed[0]).name in ("registry.py", "declared.yaml")


@pytest.mark.parametrize("title", SECTIONS)
def test_the_checks_of_a_section_pass_after_its_diff(extended: Path, title: str) -> None:
    code = f"import esl; assert esl.__file__.startswith({str(extended)!r}), esl.__file__\n{SECTIONS[title]['python']}"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=extended,
        env=_environment(extended),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def with_manual(extended: Path) -> Path:
    """The same copy after `make manual`, with markers for the tables of the new method and the new term."""
    manual = extended / "config/README.md"
    before = manual.read_text(encoding="utf-8")
    markers = (f"<!-- keys: {name} -->\n<!-- end -->\n" for name in ("methods.plain", "training.terms.diversity"))
    manual.write_text("\n".join([before, *markers]), encoding="utf-8")
    command = [sys.executable, "-m", "planning.manual"]
    subprocess.run(command, cwd=extended, env=_environment(extended), capture_output=True, check=True)
    return extended


def test_the_projects_own_tests_of_every_row_pass_for_the_new_ones(with_manual: Path) -> None:
    manual = (with_manual / "config/README.md").read_text(encoding="utf-8")
    assert "| `threshold` | Probability from which a pixel is kept. | `0.9` |" in manual
    chosen = " or ".join([*ROWS, "histograms_of_shards", "imported_without_pytorch", "test_manual"])
    command = [sys.executable, "-m", "pytest", "-vv", "-n", "0", "-p", "no:cacheprovider", *CONTRACTS, "-k", chosen]
    done = subprocess.run(
        command, cwd=with_manual, env=_environment(with_manual), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for row in ROWS:
        assert re.search(rf"\[(.+-)?{row}(-.+)?\] PASSED", done.stdout), done.stdout


def test_new_modules_pass_the_linter(extended: Path) -> None:
    added = re.findall(r"^\+\+\+ b/(.+\.py)$", "".join(blocks["diff"] for blocks in SECTIONS.values()), re.M)
    config = ["--config", str(PROJECT / "pyproject.toml")]
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, *config, *added],
            cwd=extended,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout
