"""The whole chain on a tiny miniature: the promised files, the same bytes twice, and what an altered file leads to."""

import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.files import sha256_of_file
from tests.workflow.conftest import digests

CLASSES = CLASS_SETS["cityscapes19"].classes
MODELS = ["source", "adapted", "control-round1", "bdl-round1", "esl-round1"]


def read(project, name):
    return json.loads((project.root / "results/gta2city" / name).read_text())


def test_the_result_holds_every_model_with_figures_that_follow_from_its_confusion(finished):
    result = read(finished, "miou.json")
    assert list(result["models"]) == MODELS
    for name, model in result["models"].items():
        assert model == read(finished, f"{name}/miou.json")
        confusion = np.array(model["confusion"])
        union = confusion.sum(0) + confusion.sum(1) - np.diag(confusion)
        expected = {c: (np.diag(confusion)[i] / union[i] if union[i] else None) for i, c in enumerate(CLASSES)}
        assert model["iou"] == pytest.approx(expected)
        assert model["miou"]["cityscapes19"] == pytest.approx(np.mean([v for v in expected.values() if v is not None]))
        assert model["pixel_accuracy"] == pytest.approx(np.trace(confusion) / confusion.sum())
        assert model["data"] == "miniature"
        assert model["images"] == 6
        assert model["label_resolution"] == ["128x64"]
        assert model["checkpoint_sha256"] == sha256_of_file(finished.root / f"results/gta2city/{name}/checkpoint.pt")


def test_logs_say_what_a_stage_did_and_what_came_of_it(finished):
    def log(name):
        return (finished.root / "logs/gta2city" / name).read_text()

    manifest, thresholds = read(finished, "esl-round1/pseudo_labels.json"), read(finished, "esl-round1/thresholds.json")
    miou = read(finished, "esl-round1/miou.json")["miou"]["cityscapes19"]
    assert "training small on 12 labelled images and 10 target images: 6 iterations on cpu" in log(
        "esl-round1/train.log"
    )
    assert "evaluating on 6 labelled images" in log("esl-round1/evaluate.log")
    assert f"cityscapes19: mIoU {100 * miou:.1f} %" in log("esl-round1/evaluate.log")
    assert f"keeps {100 * thresholds['kept']:.1f} % of all pixels" in log("esl-round1/threshold.log")
    right = f"{100 * manifest['quality']['accuracy']:.1f} % of them right"
    assert f"10 pseudo-labels: {100 * manifest['kept']:.1f} % of all pixels, {right}" in log(
        "esl-round1/pseudo_label.log"
    )
    assert "inferring 5 of 10 images on cpu" in log("adapted/infer_1-of-2.log")


def test_pseudo_labels_are_palette_pngs_of_train_ids_as_the_manifest_says(finished):
    manifest = read(finished, "esl-round1/pseudo_labels.json")
    folder = finished.root / "results/gta2city/esl-round1/pseudo_labels"
    assert {path.stem for path in folder.glob("*")} == set(manifest["files"])
    pixels = np.zeros(256, dtype=int)
    for id_, entry in manifest["files"].items():
        with Image.open(folder / f"{id_}.png") as image:
            assert image.mode == "P"
            assert image.getpalette()[:57] == CLASS_SETS["cityscapes19"].palette()[:57]
            label = np.asarray(image)
        assert entry["sha256"] == sha256_of_file(folder / f"{id_}.png")
        assert entry["kept"] == pytest.approx((label != IGNORE).mean())
        pixels += np.bincount(label.ravel(), minlength=256)
    assert manifest["kept_pixels"] == dict(zip(CLASSES, pixels[:19].tolist(), strict=True))
    assert pixels[19:255].sum() == 0


def test_thresholds_say_how_much_is_kept_and_pseudo_labels_keep_it(finished):
    for name in ("esl-round1", "bdl-round1", "control-round1"):
        thresholds, manifest = read(finished, f"{name}/thresholds.json"), read(finished, f"{name}/pseudo_labels.json")
        assert thresholds["kept"] == pytest.approx(manifest["kept"], abs=1e-12)
        assert thresholds["images"] == manifest["images"] == 10
        for class_, row in thresholds["classes"].items():
            kept = row["kept"] * row["pixels"] if row["pixels"] else 0
            assert manifest["kept_pixels"][class_] == pytest.approx(kept)
    assert read(finished, "control-round1/thresholds.json")["kept"] == 0
    assert read(finished, "esl-round1/thresholds.json")["kept"] >= 0.5


def test_a_second_fresh_run_gives_the_same_bytes_and_never_needs_target_training_labels(finished, fresh):
    """Target training labels are missing in the second run: only the diagnosis that they allow may differ."""
    shutil.copytree(finished.root / "data", fresh.root / "data")
    shutil.rmtree(fresh.root / "data/miniature/0/cityscapes/gtFine/train")
    run = fresh.snakemake()
    assert run.returncode == 0, run.stdout + run.stderr
    same = ["miou.json", "miou.txt"]
    for model in MODELS:
        trained = [f"{model}/train.csv"] if model != "adapted" else []
        same += [f"{model}/checkpoint.pt", f"{model}/miou.json", f"{model}/confusions.npz", *trained]
    for round_ in MODELS[2:]:
        pngs = (finished.root / f"results/gta2city/{round_}/pseudo_labels").glob("*.png")
        same += [f"{round_}/thresholds.json", *(f"{round_}/pseudo_labels/{png.name}" for png in pngs)]
    assert len(same) == 2 + 4 * 4 + 3 + 3 * 11
    for name in same:
        one, other = (project.root / "results/gta2city" / name for project in (finished, fresh))
        assert one.read_bytes() == other.read_bytes(), name
    with_labels, without = (read(p, "esl-round1/pseudo_labels.json") for p in (finished, fresh))
    assert with_labels["quality"]["labelled_images"] == 10
    assert without["quality"] is None
    assert with_labels["files"] == without["files"]


def test_a_job_for_each_shard_of_a_large_set_writes_the_bytes_of_one_job(own):
    before = digests(own.root)
    large = {"benchmarks": {"gta2city": {"inference": {"images_per_shard": 5}}}}
    targets = ["results/gta2city/esl-round1/pseudo_labels.json"]
    jobs = {f"Writing pseudo-labels for esl-round1, shard {number}-of-2" for number in (1, 2)}
    assert own.planned(change=large, targets=targets) == jobs | {"Writing pseudo-labels for esl-round1"}
    run = own.snakemake(change=large, targets=targets)
    assert run.returncode == 0, run.stdout + run.stderr
    assert digests(own.root) == before


def test_a_pseudo_label_that_was_altered_stops_the_next_training_by_name(finished):
    folder = finished.root / "results/gta2city/esl-round1/pseudo_labels"
    png = min(folder.glob("*.png"))
    whole = png.read_bytes()
    checkpoint = "results/gta2city/esl-round1/checkpoint.pt"
    trained = (finished.root / checkpoint).read_bytes()
    try:
        for alter in (Path.unlink, Image.fromarray(np.zeros((64, 128), np.uint8)).save):
            alter(png)
            run = finished.snakemake("--forcerun", "train_round", targets=[checkpoint])
            assert run.returncode != 0
            assert png.name in run.stderr
            assert "delete results/gta2city/esl-round1/pseudo_labels.json" in run.stderr
            assert "Traceback" not in run.stderr
    finally:
        png.write_bytes(whole)
        repaired = finished.snakemake(checkpoint)
    assert repaired.returncode == 0, repaired.stderr
    assert (finished.root / checkpoint).read_bytes() == trained
    assert finished.planned() == set()


def test_the_training_log_is_complete_and_finite(finished):
    lines = (finished.root / "results/gta2city/source/train.csv").read_text().splitlines()
    assert lines[0] == "iteration,learning_rate,source_loss,target_loss,adaptation_loss,labelled_loss,target_labelled"
    rows = [[float(cell) for cell in line.split(",")] for line in lines[1:]]
    assert [row[0] for row in rows] == [4, 8, 12]
    assert all(math.isfinite(cell) for row in rows for cell in row)
