"""The correction of Snakemake's plans, on the smallest workflow that shows the fault; and the fault itself."""

import os
import re
import subprocess
import sys

import pytest
from planning.ancient import respect_reasons_behind_ancient_inputs
from snakemake.dag import DAG

from tests.configs import PROJECT

CORRECTED = """
from planning.ancient import respect_reasons_behind_ancient_inputs

respect_reasons_behind_ancient_inputs()
"""

SNAKEFILE = """
rule evaluate:
    input:
        ancient("index"),
        "settings",
    output:
        "scores",
    shell:
        "touch {output}"

rule index:
    input:
        "labels",
    output:
        "index",
    shell:
        "touch {output}"
"""

UNCHANGED, CHANGED = 1_000_000_000, 1_000_000_100


def dry_run(folder, snakefile):
    """Plans both outputs, which are older than labels and settings: each job has a reason of its own."""
    (folder / "Snakefile").write_text(snakefile)
    for name, seconds in (("index", UNCHANGED), ("scores", UNCHANGED), ("labels", CHANGED), ("settings", CHANGED)):
        (folder / name).touch()
        os.utime(folder / name, (seconds, seconds))
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--dry-run", "--cores", "1", "--directory", str(folder), "scores"],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": f"{PROJECT}/workflow"},
        capture_output=True,
        text=True,
    )


def planned(run):
    assert run.returncode == 0, run.stdout + run.stderr
    return {*re.findall(r"^rule (\w+):$", run.stdout + run.stderr, re.M)}


def test_snakemake_alone_still_ignores_reasons_behind_ancient_inputs(tmp_path):
    """Fails on the day when Snakemake is corrected."""
    assert planned(dry_run(tmp_path, SNAKEFILE)) == {"index"}, (
        "Snakemake plans jobs behind `ancient` inputs by itself: delete planning/ancient.py, its call in the Snakefile"
        " and this file, and raise Snakemake's lower bound in pyproject.toml and environment.yml to this version"
    )


def test_a_job_behind_an_ancient_input_is_planned_for_its_own_reason(tmp_path):
    assert planned(dry_run(tmp_path, CORRECTED + SNAKEFILE)) == {"index", "evaluate"}


@pytest.mark.parametrize("missing", ["update_needrun", "bfs", "depending"])
def test_another_snakemake_that_lacks_the_replaced_names_is_refused_in_one_line(monkeypatch, missing):
    if missing == "depending":
        monkeypatch.setattr(DAG, "__init__", lambda self: None)  # which makes the attribute
    else:
        monkeypatch.delattr(DAG, missing)
    message = rf"^error: .* Snakemake 9\S+ has no DAG\.{missing}; install 'snakemake>=9\.20,<10'$"
    with pytest.raises(SystemExit, match=message):
        respect_reasons_behind_ancient_inputs()
