"""What the workflow plans without running it, and the state of its files."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

PROJECT = Path(__file__).parents[2]


def test_a_fresh_checkout_plans_the_whole_chain(fresh):
    jobs = fresh.planned()
    assert {"Rendering the miniature's gta5 of seed 0", "Rendering the miniature's cityscapes of seed 0"} <= jobs
    assert {job for job in jobs if job.startswith("Training")} == {
        "Training source model",
        "Training control-round1",
        "Training bdl-round1",
        "Training esl-round1",
    }


def test_later_rounds_take_their_labels_from_the_round_before(fresh):
    change = {"benchmarks": {"gta2city": {"methods": {"esl": {"rounds": 3}}, "inference": {"shards": 3}}}}
    jobs = fresh.planned(change=change)
    assert {job for job in jobs if job.startswith("Inferring")} == {
        f"Inferring maps of {model}, shard {n}-of-3"
        for model in ("adapted", "esl-round1", "esl-round2")
        for n in (1, 2, 3)
    }


@pytest.mark.parametrize(("adaptation", "first"), [("none", "source"), ("abn", "adapted")])
def test_the_first_rounds_are_taught_by_the_model_that_the_config_asks_for(fresh, adaptation, first):
    jobs = fresh.planned(change={"benchmarks": {"gta2city": {"training": {"source": {"adaptation": adaptation}}}}})
    assert {job for job in jobs if job.startswith("Inferring")} == {
        f"Inferring maps of {first}, shard {n}-of-2" for n in (1, 2)
    }
    assert ("Evaluating adapted" in jobs) == (adaptation == "abn")


def test_the_oracle_trains_only_when_asked_for(fresh):
    oracle = "Training oracle, on target labels: the ceiling, never a result of adaptation"
    assert oracle not in fresh.planned()
    assert oracle in fresh.planned(change={"benchmarks": {"gta2city": {"oracle": True}}})


@pytest.mark.parametrize(
    ("stored", "methods", "missing"),
    [
        (["entropy"], {"esl": {}}, None),
        (["confidence"], {"control": {}, "bdl": {}, "fda": {}}, None),
        ([], {"control": {}}, None),
        (["confidence", "probability"], {"esl": {}}, "esl reads entropy"),
        (["entropy", "probability"], {"bdl": {}}, "bdl reads confidence"),
        (["entropy"], {"cbst": {}}, "cbst reads confidence, probability"),
    ],
)
def test_a_rule_whose_map_is_switched_off_is_told_before_anything_runs(fresh, tiny, stored, methods, missing):
    fresh.edit("config/config.yaml", "      control: {rounds: 1}\n      bdl: {rounds: 1}\n      esl: {rounds: 1}\n", "")
    fresh.edit("config/config.yaml", "    methods:\n", f"    methods: {json.dumps(methods)}\n")
    without = {key: value for key, value in tiny["benchmarks"]["gta2city"].items() if key != "methods"}
    overlay = {**tiny, "benchmarks": {"gta2city": {**without, "inference": {"maps": stored}}}}
    run = fresh.snakemake("--dry-run", tiny=overlay)
    if missing is None:
        assert run.returncode == 0, run.stdout
        assert f"--maps {' '.join(stored)}".strip() in fresh.snakemake("--dry-run", "-p", tiny=overlay).stdout
    else:
        assert run.returncode != 0
        assert f"benchmarks.gta2city.inference.maps: {missing}, which is not stored" in run.stdout


def test_the_portion_of_cbst_grows_with_its_rounds(fresh):
    change = {"benchmarks": {"gta2city": {"methods": {"cbst": {"rounds": 3, "portion_step": 0.1}}}}}
    run = fresh.snakemake("--dry-run", "-p", change=change)
    for round_, quantile in ((1, 0.8), (2, 0.7), (3, 0.6)):
        output = f"--output results/gta2city/cbst-round{round_}/thresholds.json"
        (line,) = [line for line in run.stdout.splitlines() if output in line]
        assert f"--rule cbst --quantile {quantile} " in line


ROOTS = {
    "gta2city": ("gta5", "cityscapes"),
    "synthia2city": ("synthia", "cityscapes"),
    "gta2vistas": ("gta5", "mapillary"),
    "synthia2vistas": ("synthia", "mapillary"),
    "city2acdc": ("cityscapes", "acdc"),
    "city2dark": ("cityscapes", "dark_zurich"),
}
WEIGHTS = "weights/DeepLab_resnet_pretrained_imagenet.pth"


def shipped(project, name):
    """A dry-run of a full-scale benchmark, as its header says."""
    return project.plain("--dry-run", "-p", "--configfile", f"config/{name}.yaml", "--", f"results/{name}/miou.json")


def test_the_overlays_train_alike_but_for_the_crop_of_pictures_of_many_shapes():
    blocks = {name: yaml.safe_load((PROJECT / f"config/{name}.yaml").read_text())["benchmarks"][name] for name in ROOTS}
    training = [dict(block["training"]) for block in blocks.values()]
    assert [block.pop("crop") for block in training] == ["whole", "whole", "1024x768", "1024x768", "whole", "whole"]
    assert [block.pop("min_scale", None) for block in training] == [None, None, 0.5, 0.5, None, None]
    assert all(block == training[0] for block in training)
    for key in ("network", "pretrained", "methods", "inference", "compute"):
        assert all(block[key] == blocks["gta2city"][key] for block in blocks.values())


@pytest.mark.parametrize("name", ROOTS)
def test_every_full_scale_benchmark_plans_the_papers_chain_where_its_data_lie(fresh, name):
    for root in ROOTS[name]:
        (fresh.root / "data" / root).mkdir(parents=True)
    (fresh.root / "weights").mkdir()
    (fresh.root / WEIGHTS).touch()
    run = shipped(fresh, name)
    assert run.returncode == 0, run.stdout + run.stderr
    told = run.stdout + run.stderr
    for job in (
        "source model",
        "source model with advent on the target",
        "control-round1",
        "bdl-round1",
        "esl-round1",
    ):
        assert f"Training {name}'s {job}\n" in told
    assert told.count("Inferring maps of") == 4 and "maps of " + name + "'s advent, shard 1-of-4" in told
    trainings = [line for line in told.splitlines() if "esl.stages.train " in line]
    assert len(trainings) == 5
    for line in trainings:
        assert f"--pretrained {WEIGHTS}" in line and "--devices 1" in line and "--accelerator cuda" in line
        assert "--optimizer sgd" in line and "--iterations 120000 --schedule 250000 --learning-rate 0.00025" in line
    assert sum("--adaptation advent" in line for line in trainings) == 4  # all but the source model's


def test_missing_data_and_weights_of_the_paper_are_told_with_where_to_get_them(fresh):
    def told():
        run = shipped(fresh, "gta2city")
        assert run.returncode != 0
        return run.stdout + run.stderr

    assert f"benchmarks.gta2city.pretrained: no such file: {WEIGHTS}; for deeplabv2_resnet101 get the" in told()
    (fresh.root / "weights").mkdir()
    (fresh.root / WEIGHTS).touch()
    assert "benchmarks.gta2city.source.root: no such folder: data/gta5; obtain the data set" in told()
    (fresh.root / "data/gta5").mkdir(parents=True)
    assert "benchmarks.gta2city.target.root: no such folder: data/cityscapes; obtain the data set" in told()


def test_more_gpus_for_a_rule_are_more_processes_for_its_training(fresh):
    change = {"benchmarks": {"gta2city": {"compute": {"accelerator": "cuda"}}}}
    run = fresh.snakemake(
        "--dry-run", "-p", "--resources", "gpu=4", "--set-resources", "train_source:gpu=4", change=change
    )
    assert run.returncode == 0, run.stdout
    (line,) = [line for line in run.stdout.splitlines() if "--output results/gta2city/source/checkpoint.pt" in line]
    assert "--devices 4" in line


def test_the_slurm_profile_plans(fresh):
    assert fresh.planned("--workflow-profile", "workflow/profiles/slurm") == fresh.planned()


def test_several_nodes_are_started_by_what_the_resource_mpi_names(fresh):
    wanted = ("mpi=srun", "nodes=2", "tasks_per_node=4", "gpu=8")
    resources = [f"train_source:{resource}" for resource in wanted]
    command = ["--dry-run", "-p", "--workflow-profile", "workflow/profiles/slurm", "--set-resources", *resources]
    lines = [line for line in fresh.snakemake(*command).stdout.splitlines() if "esl.stages.train" in line]
    started = [line.partition("python -m")[0] for line in lines]
    assert started.count("Shell command: srun --nodes=2 --ntasks-per-node=4 ") == 1
    assert started.count("Shell command: ") == len(lines) - 1 == 3
    assert [line for line in lines if "--devices 8" in line] == [line for line in lines if "srun" in line]


@pytest.mark.parametrize(
    "command", [("snakemake", "--lint"), ("snakefmt", "--check", "workflow")], ids=["snakemake --lint", "snakefmt"]
)
def test_the_workflow_is_clean(command):
    run = subprocess.run([sys.executable, "-m", *command], cwd=PROJECT, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr


def schema_objects(schema, path=""):
    """Every object schema and every property below ``schema``, by path."""
    if schema.get("type") == "object":
        yield path, schema
    for key, sub in {**schema.get("properties", {}), **schema.get("patternProperties", {})}.items():
        yield from schema_objects(sub, f"{path}.{key}")


def test_the_schema_is_strict_and_describes_every_key():
    schema = yaml.safe_load((PROJECT / "workflow/schemas/config.schema.yaml").read_text())
    for path, object_ in schema_objects(schema):
        assert object_["additionalProperties"] is False, path
        for key, sub in {**object_.get("properties", {}), **object_.get("patternProperties", {})}.items():
            assert sub.get("description"), f"{path}.{key}"


def test_the_manual_of_the_config_names_every_key():
    schema = yaml.safe_load((PROJECT / "workflow/schemas/config.schema.yaml").read_text())
    manual = (PROJECT / "config/README.md").read_text()
    for path, object_ in schema_objects(schema):
        for key in object_.get("properties", {}):
            assert f"`{key}`" in manual, f"{path}.{key}"


CONDA_NAMES = {
    "torch": "pytorch",
    "snakemake": "snakemake-minimal",
    "isal": "python-isal",
    "matplotlib": "matplotlib-base",
}


def test_pyproject_constraints_and_environment_agree():
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(line for extra in project["optional-dependencies"].values() for line in extra)]
    ranges = {name.lower(): minimum for name, _, minimum in (line.partition(">=") for line in asked)}
    conda = yaml.safe_load((PROJECT / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in conda if isinstance(entry, dict))
    lines = [entry for entry in conda if isinstance(entry, str)] + pip
    environment = {name.lower(): minimum for name, _, minimum in (line.partition(">=") for line in lines)}
    assert environment.pop("python") == project["requires-python"].removeprefix(">=")
    assert environment.pop("pip") == ""
    assert environment == {CONDA_NAMES.get(name, name): minimum for name, minimum in ranges.items()}
    constraints = [line for line in (PROJECT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    tested = {name.lower(): version for name, _, version in (line.partition("==") for line in constraints)}
    for name, minimum in ranges.items():
        assert name in tested, f"{name} is not in constraints.txt"
        if minimum:
            numbers = [[int(part) for part in version.split(".")[:2]] for version in (tested[name], minimum)]
            assert numbers[0] >= numbers[1], f"{name}: constraints.txt has {tested[name]}, asked for {minimum}"
