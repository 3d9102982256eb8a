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
LABELLED = ("by_shard-round1/pseudo_labels.json", "cuts-round1/pseudo_labels.json", "online-round1/checkpoint.pt")
BDL = {"methods": {"control": None, "esl": None}}
BY_SHARD = {
    "methods": {
        "by_shard": {"method": "cbst"},
        "cuts": {"method": "fixed", "measure": "confidence", "threshold": 0.9},
        "online": {"method": "control", "round": {"adaptation": "ema", "target_batch": 1}},
    },
    "inference": {"images_per_shard": 5, "shards": 1},
}
OWN_LABELS = {
    "target": {"labels": "own"},
    "labelling": {"train": 3, "draw": "expected_error"},
    "methods": {"labelled": {"method": "control", "round": {"labelled_batch": 1}}},
}
RETURNED = {"target": {"labels": "returned"}}
ADAPTED = {"training": {"source": {"adaptation": "minent"}, "snapshot_every": 6}}


@pytest.fixture(scope="module")
def records(run_once, tmp_path_factory):
    """Output -> the roots of the digest of the job that made it, and the modules that the job imported.

    The finished chain, with its leaves, a term in a round and in the source stage, labels by shard, and target labels.
    """
    root = tmp_path_factory.mktemp("imports") / "project"
    shutil.copytree(run_once, root)
    project = Project(root, recorded=root / "recorded")
    shutil.copytree(root / "results/gta2city/esl-round1/pseudo_labels", root / "returned/train")
    runs = [
        (LEAVES, BDL),
        (LABELLED, BY_SHARD),
        (("labelled-round1/checkpoint.pt", "label/cvat.zip"), OWN_LABELS),
        (("label/labels.json",), RETURNED),
        (("minent/best_snapshot.json",), ADAPTED),
    ]
    imported = _imported(project, root)  # of the run that made the finished chain
    for names, change in runs:
        targets = [f"results/gta2city/{name}" for name in names]
        run = project.snakemake("--notemp", "--nolock", change=gta2city(**change), targets=targets)
        assert run.returncode == 0, run.stdout + run.stderr
        imported |= _imported(project, root)  # before another run makes the same file
    return imported


def _imported(project, root):
    """Stage and output -> roots and modules, of the jobs that were recorded since the last call."""
    roots = {}
    for path in project.recorded.glob("roots*.json"):
        roots |= json.loads(path.read_text())
    imported = {}
    for path in project.recorded.glob("[0-9]*.json"):
        record = json.loads(path.read_text())
        metadata = root / ".snakemake/metadata" / base64.b64encode(record["output"].encode()).decode()
        params = json.loads(metadata.read_text())["params"]
        *modules, stage = record["modules"]
        digests = {param.strip("'") for param in params} & roots.keys()
        (own,) = [
            roots[digest] for digest in digests if roots[digest][0] == stage
        ]  # a round has that of its labels, too
        imported[stage, record["output"]] = own, [*modules, stage]
        path.unlink()
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
