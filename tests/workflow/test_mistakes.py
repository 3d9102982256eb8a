"""Mistakes of a user: one message that names the key or the file, before anything trains, and a failing exit status."""

import numpy as np
import pytest
from PIL import Image

GTA2CITY = "benchmarks.gta2city"


def config(**benchmark):
    return {"benchmarks": {"gta2city": benchmark}}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (config(metods={"esl": {"rounds": 1}}), f"{GTA2CITY}: unknown key 'metods'; did you mean 'methods'?"),
        (config(methods={"esl": {"rounds": "two"}}), f"{GTA2CITY}.methods.esl.rounds: 'two' is not of type 'integer'"),
        (
            config(methods={"esl": {"bound": 1.5}}),
            f"{GTA2CITY}.methods.esl.bound: 1.5 is greater than the maximum of 1",
        ),
        (config(source={"dataset": "gta"}), f"{GTA2CITY}.source.dataset: no 'gta'; did you mean 'gta5'?"),
        (config(class_set="cityscape19"), f"{GTA2CITY}.class_set: no 'cityscape19'; did you mean 'cityscapes19'?"),
        (config(source={"size": "big"}), f"{GTA2CITY}.source.size: 'big' does not match"),
        (
            {"datasets": {"mine": {"pictures": "a", "labels": [{"files": "b", "ids": {7: "raod"}}]}}},
            "datasets.mine: labels that no class set knows: 'raod' (did you mean 'road'?); null ignores an id on",
        ),
        (
            {"class_sets": {"mine": {"a": {"labels": ["raod"]}, "sky": {}}}},
            "no data set has: 'raod' (did you mean 'road'?)",
        ),
        ({"class_sets": {"mine": {1: {}, "sky": {}}}}, "the key 1 is no text: put it in quotation marks"),
        (
            {"datasets": {"mine": {"pictures": "a", "labels": [{"files": "b", "colours": {"road": [1, 300, 2]}}]}}},
            "datasets.mine.labels.0.colours.road: [1, 300, 2] is not valid",
        ),
        (config(training={"source": {"schedule": 5}}), "training.source.schedule: 5 is less than the 12 iterations"),
        (config(pretrained="torchvision"), "pretrained: only deeplabv2_resnet101 starts from published weights"),
        ({"datasets": {"mine": {"pictures": "../a"}}}, "datasets.mine: '../a': expected a path below the root"),
        ({"datasets": {"gta5": {"pictures": "a"}}}, "datasets.gta5: a shipped one has this name; choose another"),
        (
            {"class_sets": {"mine": {"a": {"labels": ["sky"]}, "b": {"labels": ["sky"]}}}},
            "'sky' is part of 'a' and of 'b'",
        ),
        (config(training={"crop": "big"}), f"{GTA2CITY}.training.crop: 'big' does not match"),
        ({"benchmark": {}}, "(top level): unknown key 'benchmark'; did you mean 'benchmarks'?"),
    ],
)
def test_a_mistake_in_the_config_is_named_by_its_key(fresh, change, expected):
    run = fresh.snakemake("--dry-run", change=change)
    assert run.returncode != 0
    assert expected in run.stdout  # where a dry-run speaks
    assert len((run.stdout + run.stderr).splitlines()) < 20


def failed(project, change=None):
    """The messages of a run that must fail before any training."""
    run = project.snakemake(change=change)
    assert run.returncode != 0
    assert "Traceback" not in run.stderr
    assert not list(project.root.glob("results/*/*/checkpoint.pt"))
    assert not list(project.root.glob("results/*/*/last.pt"))
    return run.stderr


@pytest.mark.parametrize("arguments", [[], ["--dry-run"]])
def test_a_missing_root_is_named_with_its_key(fresh, arguments):
    run = fresh.snakemake(*arguments, change=config(source={"root": "data/nowhere"}))
    assert run.returncode != 0
    assert f"{GTA2CITY}.source.root: no such folder: data/nowhere; obtain the data set" in run.stdout + run.stderr
    assert not (fresh.root / "results").exists()


def test_every_defect_of_the_data_is_named_before_training(rendered):
    root = rendered.root / "data/miniature/0"
    labels = sorted((root / "gta5/labels").glob("*.png"))
    truncated = sorted((root / "gta5/images").glob("*.png"))[0]
    truncated.write_bytes(truncated.read_bytes()[:500])
    Image.fromarray(np.full((64, 128), 77, np.uint8)).save(labels[1])
    Image.fromarray(np.full((60, 128), 7, np.uint8)).save(labels[2])
    labels[3].unlink()
    error = failed(rendered)
    assert "4 defect(s)" in error
    assert f"images/{truncated.name}: not a readable image" in error
    assert f"labels/{labels[1].name}: unknown label ids [77]" in error
    assert f"labels/{labels[2].name}: a label of 128x60 for a picture of 128x64" in error
    assert f"images/{labels[3].name}: a picture without its label" in error
