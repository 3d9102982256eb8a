"""The code digest of every job covers what the job imports, and nothing that only planning reads."""

import base64
import json
import shutil

import pytest
from planning.digest import LEFT_OUT, import_closure

from tests.configs import PROJECT
from tests.workflow.conftest import Project
from tests.workflow.jobs import gta2city

STAGES = sorted(path.stem for path in (PROJECT / "esl/stages").glob("*.py") if "stage(main)" in path.read_text())
WITHOUT_A_RULE = {"doctor", "verify", "export_label_ids"}
BY_SEEDS = {"reproduce"}
"""A stage whose inputs are several finished benchmarks."""

LEAVES = (
    "source/predictions.json", "source/confidence.md", "bdl-round1/viewer.html", "bdl-round1/export/coco.json",
    "figures.md",
)  # fmt: skip
BDL = {"methods": {"control": None, "esl": None}}
BY_SHARD = {
    "methods": {
        "by_shard": {"method": "cbst"},
        "online": {"method": "control", "round": {"adaptation": "ema", "target_batch": 1}},
    },
    "inference": {"images_per_shard": 5, "shards": 1},
}
ADAPTED = {"training": {"source": {"adaptation": "minent"}, "snapshot_every": 6}}


@pytest.fixture(scope="module")
def records(run_once, tmp_path_factory):
    """Output -> the roots of the digest of the job that made it, and the modules that the job imported.

    The finished chain, with its leaves, a term in a round and in the source stage, and labels by shard.
    """
    root = tmp_path_factory.mktemp("imports") / "project"
    shutil.copytree(run_once, root)
    project = Project(root, recorded=root / "recorded")
    runs = [
        (LEAVES, BDL),
        (("by_shard-round1/pseudo_labels.json", "online-round1/checkpoint.pt"), BY_SHARD),
        (("minent/best_snapshot.json",), ADAPTED),
    ]
    for names, change in runs:
        targets = [f"results/gta2city/{name}" for name in names]
        run = project.snakemake("--notemp", "--nolock", change=gta2city(**change), targets=targets)
        assert run.returncode == 0, run.stdout + run.stderr
    roots = {}
    for path in project.recorded.glob("roots*.json"):
        roots |= json.loads(path.read_text())
    imported = {}
    for path in project.recorded.glob("[0-9]*.json"):
        record = json.loads(path.read_text())
        metadata = root / ".snakemake/metadata" / base64.b64encode(record["output"].encode()).decode()
        params = json.loads(metadata.read_text())["params"]
        (digest,) = {param.strip("'") for param in params} & roots.keys()
        imported[record["output"]] = roots[digest], record["modules"]
    return imported


def test_the_digest_of_a_job_covers_every_module_that_it_imports(records):
    """A stage that resolves one more name, whose module no rule names, would leave stale results behind, silently."""
    ran = {roots[0].removeprefix("esl.stages.") for roots, _ in records.values()}
    assert ran == {*STAGES} - WITHOUT_A_RULE - BY_SEEDS
    uncovered = {
        output: _decisive(modules) - import_closure(roots).keys() for output, (roots, modules) in records.items()
    }
    assert {output: modules for output, modules in uncovered.items() if modules} == {}


def _decisive(modules):
    """The modules that may decide a result."""
    return {name for name in modules if name.rpartition(".")[2] not in LEFT_OUT}


@pytest.mark.parametrize("stage", sorted({*STAGES} - {"doctor"}))
def test_no_config_is_in_the_closure_of_a_stage(stage):
    """What planning alone reads: a default that changes no result would retrain every model."""
    closure = import_closure([f"esl.stages.{stage}"])
    assert [name for name in closure if name.rpartition(".")[2] == "config"] == []
