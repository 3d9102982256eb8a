"""The workflow in other folders than its checkout: --directory, and as a module of another workflow."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import yaml

from tests.configs import PROJECT, merged, shipped
from tests.workflow.conftest import TINY, Project, checkout, digests


@pytest.fixture
def stranger(fresh: Project, tmp_path: Path) -> Path:
    """A folder with the workflow that docs/cluster.md shows and a config of its own; the module is a checkout."""
    folder = tmp_path / "a stranger's"
    folder.mkdir()
    shown = (PROJECT / "docs/cluster.md").read_text(encoding="utf-8").partition("    # Snakefile\n")[2]
    snakefile = textwrap.dedent(shown.partition("\nJobs")[0])
    (folder / "Snakefile").write_text(snakefile.replace("esl/workflow", str(fresh.root / "workflow")))
    (folder / "mine.yaml").write_text(yaml.safe_dump(merged(shipped(), TINY)))
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``snakemake`` in ``folder``."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_as_a_module_the_same_jobs_are_planned(stranger: Path, fresh: Project) -> None:
    assert run(stranger, "--dry-run").stdout.count(": Training ") == len(
        [job for job in fresh.planned() if job.startswith("Training")]
    )


def test_jobs_of_a_module_run_its_code_and_write_to_the_folder_of_the_other_workflow(
    stranger: Path, fresh: Project
) -> None:
    fresh.edit("esl/stages/index.py", "\ndef main(", '\nprint("the code beside the workflow")\n\n\ndef main(')
    run(stranger, "results/gta2city/data/source.json")
    assert (stranger / "results/gta2city/data/source.json").is_file()
    assert "the code beside the workflow" in (stranger / "logs/gta2city/index_source.log").read_text()
    assert not (fresh.root / "results").exists() and not (fresh.root / "data").exists()


@pytest.mark.slow
def test_a_module_makes_the_whole_table(stranger: Path, run_once: Path) -> None:
    run(stranger)
    own, expected = (json.loads((root / "results/gta2city/miou.json").read_text()) for root in (stranger, run_once))
    assert own == expected


def test_another_directory_without_a_config_takes_the_shipped_one(fresh: Project, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    command = ("--dry-run", "--snakefile", str(fresh.root / "workflow/Snakefile"), "--directory", str(elsewhere))
    assert "Summarizing the models of gta2city" in run(tmp_path, *command, "results/gta2city/miou.json").stdout
    assert not [path for path in elsewhere.iterdir() if path.name != ".snakemake"]


@pytest.mark.slow
def test_a_checkout_may_have_any_name_and_no_word_of_it_is_a_command(tmp_path: Path, run_once: Path) -> None:
    project = checkout(tmp_path / 'it\'s "my" $(touch pwned); touch pwned & $HOME `touch pwned` Zürich 道路')
    done = project.snakemake()
    assert done.returncode == 0, done.stdout + done.stderr
    assert digests(project.root) == digests(run_once)
    assert not [*tmp_path.rglob("pwned")] and not Path("pwned").exists()


def test_braces_in_the_path_of_a_checkout_are_one_line(tmp_path: Path) -> None:
    done = checkout(tmp_path / "a {b}").snakemake("--dry-run")
    said = done.stdout + done.stderr
    assert done.returncode == 1 and "Traceback" not in said
    assert "a {b}: Snakemake cannot run a workflow whose path has braces; rename the folder" in said
