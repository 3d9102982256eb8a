"""Dry runs of the workflow, for what Snakemake itself decides; the rest is in tests/planning."""

import json
import subprocess
import sys

import pytest
import yaml

from tests.configs import PROJECT, ROOTS


def commands(run, stage):
    """The shell commands of a stage in what a dry-run with `-p` prints, their settings decoded."""
    assert run.returncode == 0, run.stdout + run.stderr
    lines = [line for line in (run.stdout + run.stderr).splitlines() if f"-m esl.stages.{stage} " in line]
    return [line.removeprefix("Shell command: ") for line in lines]


def test_a_fresh_checkout_plans_the_whole_chain(fresh):
    jobs = fresh.planned()
    assert {job for job in jobs if job.startswith("Rendering")} == {
        "Rendering the miniature in the layout of gta5, seed 0",
        "Rendering the miniature in the layout of cityscapes, seed 0",
    }
    assert {job for job in jobs if job.startswith("Training")} == {
        "Training the source model",
        "Training control-round1",
        "Training bdl-round1",
        "Training esl-round1",
    }


def test_the_oracle_trains_only_when_asked_for(fresh):
    oracle = "Training the oracle on all target labels: a ceiling, not a result of adaptation"
    assert oracle not in fresh.planned()
    assert oracle in fresh.planned(change={"benchmarks": {"gta2city": {"oracle": True}}})


def test_every_full_scale_benchmark_plans_the_papers_chain(fresh):
    for root in {root for roots in ROOTS.values() for root in roots}:
        (fresh.root / "data" / root).mkdir(parents=True)
    (fresh.root / "weights").mkdir()
    (fresh.root / "weights/DeepLab_resnet_pretrained_imagenet.pth").touch()
    targets = [f"results/{name}/miou.json" for name in ROOTS]
    run = fresh.plain("-n", "-p", "--cores", "8", *targets, "--configfile", *(f"config/{name}.yaml" for name in ROOTS))
    for name in ROOTS:
        for job in ("the source model of {}", "the source model of {} with advent on the target"):
            assert f"Training {job.format(name)}\n" in run.stdout + run.stderr
        for method in ("control", "bdl", "esl"):
            assert f"Training {method}-round1 of {name}\n" in run.stdout + run.stderr
    trainings = commands(run, "train")
    assert len(trainings) == 6 * 5
    for line in trainings:
        assert "--devices 1 " in line and '"accelerator":"cuda"' in line and '"pretrained":"weights/DeepLab' in line
    assert len(commands(run, "infer")) == 6 * 4


def test_rules_hand_their_inputs_to_the_stage(fresh):
    lines = commands(fresh.snakemake("--dry-run", "-p"), "train")
    results = "results/gta2city"
    (round_,) = [line for line in lines if f"--output {results}/esl-round1/checkpoint.pt" in line]
    for flag, path in (
        ("--index", "data/source.json"),
        ("--target-index", "data/target_train.json"),
        ("--pseudo-labels", "esl-round1/pseudo_labels.json"),
        ("--initial", "adapted/checkpoint.pt"),
    ):
        assert f" {flag} {results}/{path} " in round_
    (source,) = [line for line in lines if f"--output {results}/source/checkpoint.pt" in line]
    assert f"python -m esl.stages.train --index {results}/data/source.json --settings " in source
    settings = json.loads(source.partition("--settings ")[2].partition(" --code")[0].strip("'"))
    assert settings["schedule"]["iterations"] == 12 and "target" not in settings


def test_a_missing_root_is_one_message_without_a_trace(fresh):
    for arguments in ([], ["--dry-run"]):
        run = fresh.snakemake(*arguments, change={"benchmarks": {"gta2city": {"source": {"root": "data/nowhere"}}}})
        assert run.returncode != 0
        message = "error: benchmarks.gta2city.source.root: no such folder: data/nowhere; download the dataset"
        assert message in run.stderr
        assert "Traceback" not in run.stderr and "Exception" not in run.stderr
        assert not (fresh.root / "results").exists()


def test_a_mistake_in_the_config_is_one_line_without_a_trace(fresh):
    run = fresh.snakemake("--dry-run", change={"benchmarks": {"gta2city": {"metods": {}}}})
    assert run.returncode != 0
    assert run.stderr.splitlines()[-1] == ("config: benchmarks.gta2city: unknown key 'metods'; did you mean 'methods'?")
    assert "Traceback" not in run.stderr


def test_a_missing_gpu_is_reported_before_the_index(fresh):
    change = {"benchmarks": {"gta2city": {"compute": {"accelerator": "mps"}}}}
    run = fresh.snakemake(change=change)
    assert run.returncode != 0
    assert "compute.accelerator: mps, but this machine has no Apple GPU" in run.stderr
    assert not (fresh.root / "results").exists()
    assert fresh.snakemake("--dry-run", change=change).returncode == 0


def test_more_gpus_for_a_rule_are_more_processes_for_its_training(fresh):
    change = {"benchmarks": {"gta2city": {"compute": {"accelerator": "cuda"}}}}
    run = fresh.snakemake(
        "--dry-run", "-p", "--resources", "gpu=4", "--set-resources", "train_source:gpu=4", change=change
    )
    (line,) = [line for line in commands(run, "train") if "--output results/gta2city/source/checkpoint.pt" in line]
    assert "--devices 4" in line


def test_the_slurm_profile_plans(fresh):
    assert fresh.planned("--workflow-profile", "workflow/profiles/slurm") == fresh.planned()


def test_the_launcher_of_the_resource_mpi_starts_several_nodes(fresh):
    options = ("mpi=srun", "nodes=2", "tasks_per_node=4", "gpu=8")
    resources = [f"train_source:{resource}" for resource in options]
    command = ["--dry-run", "-p", "--workflow-profile", "workflow/profiles/slurm", "--set-resources", *resources]
    lines = commands(fresh.snakemake(*command), "train")
    started = [line.partition("python -m")[0] for line in lines]
    several = [start == "srun --nodes=2 --ntasks-per-node=4 " for start in started]
    assert sum(several) == 1 and len(lines) == 4
    assert ["--devices 8" in line for line in lines] == several


@pytest.mark.parametrize(
    "command", [("snakemake", "--lint"), ("snakefmt", "--check", "workflow")], ids=["snakemake --lint", "snakefmt"]
)
def test_the_workflow_is_clean(command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def test_the_catalog_of_workflows_finds_what_it_asks_for():
    usage = yaml.safe_load((PROJECT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"]["conda"] is usage["report"] is True
    for rule in (
        text for path in (PROJECT / "workflow/rules").glob("*.smk") for text in path.read_text().split("\nrule ")
    ):
        assert "shell:" not in rule or 'conda:\n        "../../environment.yml"' in rule, rule
    assert (PROJECT / "workflow/Snakefile").is_file() and (PROJECT / "config/README.md").is_file()


def test_rule_files_hold_no_function():
    for path in [PROJECT / "workflow/Snakefile", *(PROJECT / "workflow/rules").glob("*.smk")]:
        text = path.read_text(encoding="utf-8")
        assert "def " not in text and "lambda" not in text, path
