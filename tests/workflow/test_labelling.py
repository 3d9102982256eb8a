"""The road of docs/labelling.md: photographs without labels, a task for CVAT, its labels back, scores and training."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.labelling.masks import MaskWriter
from tests.configs import merged
from tests.workflow.conftest import TINY, Project
from tests.workflow.jobs import gta2city

LABELS = {"labelled": {"method": "control", "round": {"labelled_batch": 1}}}
LABELS["esl_labelled"] = {"method": "esl", "after": "labelled", "round": {"labelled_batch": 1}}
PHOTOS = merged(
    TINY,
    gta2city(
        target={"dataset": "folder", "root": "photos", "train_split": "train", "val_split": "val"},
        labelling={"measure": 4, "train": 3, "draw": "least_kept"},
        methods={"bdl": None},
    ),
)
LABELLED = merged(PHOTOS, gta2city(target={"labels": "corrected.zip"}, methods=LABELS))


def _truth(root: Path) -> dict[str, Index]:
    """What the person would have known: the labels that the photographs have in their dataset, by split."""
    cityscapes = root / "data/miniature/0/cityscapes"
    return {
        split: inspect(
            "cityscapes", format_named("cityscapes"), cityscapes, split, CLASS_SETS["cityscapes19"], Checks()
        ).sound_index()
        for split in ("train", "val")
    }


def correct(project: Project, task: Path, output: Path) -> None:
    """In place of a person: the annotations of a task, corrected."""
    truth = {sample.image.removeprefix("leftImg8bit/"): (index, sample)
             for index in _truth(project.root).values() for sample in index.samples}  # fmt: skip
    with ZipFile(task) as given, ZipFile(output, "w") as corrected:
        writer = MaskWriter(corrected, CLASS_SETS["cityscapes19"])
        for subset in ("measure", "train"):
            for name in given.read(f"ImageSets/Segmentation/{subset}.txt").decode().splitlines():
                index, sample = truth[f"{name}.png"]
                writer.add(subset, name, *writer.encoded(index.read_label(sample)))
        writer.finish()


@pytest.fixture(scope="module")
def labelled(run_once, tmp_path_factory):
    """A finished benchmark on photographs without labels; then the corrected labels of its task next to it."""
    root = tmp_path_factory.mktemp("labelling") / "project"
    shutil.copytree(run_once, root)
    shutil.rmtree(root / "results")
    shutil.copytree(root / "data/miniature/0/cityscapes/leftImg8bit", root / "photos")
    project = Project(root)
    targets = ("results/gta2city/miou.json", "results/gta2city/label/cvat.zip")
    run = project.snakemake(tiny=PHOTOS, targets=targets)
    assert run.returncode == 0, run.stdout + run.stderr
    assert "nothing to evaluate" in (root / "results/gta2city/miou.txt").read_text()
    correct(project, root / "results/gta2city/label/cvat.zip", root / "corrected.zip")
    return project


def test_labels_that_came_back_rerun_only_what_they_reach(labelled):
    """No source training, no inference of a model that is there, no round without labels."""
    jobs = labelled.planned(tiny=LABELLED)
    assert "Checking the labels that came back for gta2city" in jobs
    assert {f"Evaluating {model}" for model in ("source", "adapted", "control-round1", "esl-round1")} <= jobs
    trained = {job for job in jobs if job.startswith("Training")}
    assert trained == {"Training labelled-round1", "Training esl_labelled-round1"}
    inferred = {job.partition(",")[0] for job in jobs if job.startswith("Inferring")}
    assert inferred == {"Inferring maps with labelled-round1"}
    assert not any(job.startswith("Checking every file") for job in jobs)


def test_models_are_scored_on_one_set_and_trained_on_the_other(labelled):
    run = labelled.snakemake(tiny=LABELLED)
    assert run.returncode == 0, run.stdout + run.stderr
    results = labelled.root / "results/gta2city"
    drawn = json.loads((results / "label/draw.json").read_text())
    labels = json.loads((results / "label/labels.json").read_text())
    assert {id_: file["set"] for id_, file in labels["files"].items()} == dict.fromkeys(
        drawn["measure"], "measure"
    ) | dict.fromkeys(drawn["train"], "train")
    assert labels["drawn_at_random"] and (len(drawn["measure"]), len(drawn["train"])) == (4, 3)
    table = json.loads((results / "miou.json").read_text())
    assert {model["images"] for model in table["models"].values()} == {4}
    with np.load(results / "esl_labelled-round1/confusions.npz") as confusions:
        assert sorted(confusions["ids"]) == sorted(drawn["measure"]) and confusions["drawn_at_random"]
    assert "4 images" in (results / "miou.txt").read_text()
    assert labelled.planned(tiny=LABELLED) == set()
    verified = subprocess.run(
        [sys.executable, "-m", "esl.stages.verify", "results/gta2city"],
        cwd=labelled.root,
        capture_output=True,
        text=True,
    )
    assert verified.returncode == 0, verified.stdout + verified.stderr
    touched = labelled.root / "corrected.zip"
    touched.touch()
    assert labelled.planned(tiny=LABELLED) == set()


def test_another_label_for_training_trains_only_what_reads_labels(labelled):
    with ZipFile(labelled.root / "corrected.zip") as archive:
        archive.extractall(labelled.root / "unpacked")
    path = min((labelled.root / "unpacked/SegmentationClass/train").rglob("*.png"), default=None)
    assert path is not None
    Image.fromarray(np.zeros_like(np.asarray(Image.open(path)))).save(path)
    change = gta2city(target={"labels": "unpacked"})
    jobs = labelled.planned(tiny=merged(LABELLED, change))
    trained = {job for job in jobs if job.startswith("Training")}
    assert trained == {"Training labelled-round1", "Training esl_labelled-round1"}


def test_an_image_that_is_measured_is_refused_for_training_under_any_name(labelled):
    """While planning, before anything runs."""
    drawn = json.loads((labelled.root / "results/gta2city/label/draw.json").read_text())
    image = labelled.root / "photos" / next(iter(drawn["measure"].values()))["image"]
    folder = labelled.root / "photos/train/copies"
    folder.mkdir()
    shutil.copy(image, folder / "copy.png")
    width, height = Image.open(image).size
    for name in (f"measure/{image.relative_to(labelled.root / 'photos')}", "train/train/copies/copy.png"):
        path = labelled.root / "both" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.zeros((height, width), np.uint8)).save(path)
    run = labelled.snakemake("--dry-run", tiny=merged(LABELLED, gta2city(target={"labels": "both"})))
    assert run.returncode == 1
    assert (
        "is in both sets, measure and train" in run.stderr + run.stdout and "copies/copy.png" in run.stderr + run.stdout
    )
    shutil.rmtree(folder)
