"""The whole chain on a tiny miniature: the promised files, the same bytes twice, and what an altered file leads to."""

import json
import math
import shutil

import numpy as np
import pytest
from PIL import Image

from esl.classes import CLASS_SETS, IGNORE
from esl.files import sha256_of_file

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
    """Target training labels are gone in the second run: nothing but their diagnosis may differ."""
    shutil.copytree(finished.root / "data", fresh.root / "data")
    shutil.rmtree(fresh.root / "data/miniature/0/cityscapes/gtFine/train")
    run = fresh.snakemake()
    assert run.returncode == 0, run.stdout + run.stderr
    same = ["miou.json", "miou.txt"]
    for model in MODELS:
        trained = [f"{model}/train.csv"] if model != "adapted" else []
        same += [f"{model}/checkpoint.pt", f"{model}/miou.json", *trained]
    for round_ in MODELS[2:]:
        pngs = (finished.root / f"results/gta2city/{round_}/pseudo_labels").glob("*.png")
        same += [f"{round_}/thresholds.json", *(f"{round_}/pseudo_labels/{png.name}" for png in pngs)]
    assert len(same) == 2 + 3 * 4 + 2 + 3 * 11
    for name in same:
        one, other = (project.root / "results/gta2city" / name for project in (finished, fresh))
        assert one.read_bytes() == other.read_bytes(), name
    with_labels, without = (read(p, "esl-round1/pseudo_labels.json") for p in (finished, fresh))
    assert with_labels["quality"]["labelled_images"] == 10
    assert without["quality"] is None
    assert with_labels["files"] == without["files"]


@pytest.mark.parametrize("damage", ["delete", "edit"])
def test_a_pseudo_label_that_was_altered_stops_the_next_training_by_name(finished, damage):
    folder = finished.root / "results/gta2city/esl-round1/pseudo_labels"
    png = min(folder.glob("*.png"))
    whole = png.read_bytes()
    checkpoint = finished.root / "results/gta2city/esl-round1/checkpoint.pt"
    trained = checkpoint.read_bytes()
    if damage == "delete":
        png.unlink()
    else:
        Image.fromarray(np.zeros((64, 128), np.uint8)).save(png)
    try:
        run = finished.snakemake("--forcerun", "train_round", "--until", "train_round")
        assert run.returncode != 0
        assert png.name in run.stderr
        assert "delete results/gta2city/esl-round1/pseudo_labels.json" in run.stderr
        assert "Traceback" not in run.stderr
    finally:
        png.write_bytes(whole)
        mended = finished.snakemake(str(checkpoint.relative_to(finished.root)))
    assert mended.returncode == 0, mended.stderr
    assert checkpoint.read_bytes() == trained


def test_the_training_log_is_complete_and_finite(finished):
    lines = (finished.root / "results/gta2city/source/train.csv").read_text().splitlines()
    assert lines[0] == "iteration,learning_rate,source_loss,target_loss,adaptation_loss,target_labelled"
    rows = [[float(cell) for cell in line.split(",")] for line in lines[1:]]
    assert [row[0] for row in rows] == [4, 8, 12]
    assert all(math.isfinite(cell) for row in rows for cell in row)


def test_synthia_to_cityscapes_runs_in_its_16_classes(fresh, tiny):
    change = {"benchmarks": {"synthia2city": tiny["benchmarks"]["gta2city"]}}
    files = ["esl-round1/pseudo_labels.json", "adapted/miou.json"]
    run = fresh.snakemake(change=change, targets=[f"results/synthia2city/{file}" for file in files])
    assert run.returncode == 0, run.stdout + run.stderr
    manifest, score = (json.loads((fresh.root / "results/synthia2city" / file).read_text()) for file in files)
    classes = CLASS_SETS["synthia16"].classes
    assert tuple(manifest["kept_pixels"]) == tuple(score["iou"]) == classes
    assert list(score["miou"]) == ["synthia16", "synthia13"]
    assert manifest["images"] == manifest["quality"]["labelled_images"] == 10
    assert sorted(path.stem for path in (fresh.root / "data/miniature/0").glob("*.json")) == ["cityscapes", "synthia"]
    index = json.loads((fresh.root / "results/synthia2city/data/source.json").read_text())
    assert index["dataset"] == "synthia" and index["class_pixels"]["road"] > 0


def test_gta5_to_vistas_runs_in_7_classes_over_pictures_of_many_sizes(fresh, tiny):
    change = {"benchmarks": {"gta2vistas": tiny["benchmarks"]["gta2city"] | {"methods": {"cbst": {"rounds": 1}}}}}
    results = fresh.root / "results/gta2vistas"
    targets = ["esl-round1/miou.json", "cbst-round1/pseudo_labels.json", "esl-round1/predictions.json"]
    run = fresh.snakemake(change=change, targets=[f"results/gta2vistas/{file}" for file in targets])
    assert run.returncode == 0, run.stdout + run.stderr
    index = json.loads((results / "data/target_train.json").read_text())
    assert len(index["sizes"]) == 3 and index["labelled"] == 10
    sizes = {sample["id"]: tuple(sample["size"]) for sample in index["samples"]}
    for round_ in ("esl-round1", "cbst-round1"):
        for id_, size in sizes.items():
            with Image.open(results / round_ / f"pseudo_labels/{id_}.png") as image:
                assert image.size == size
    score = json.loads((results / "esl-round1/miou.json").read_text())
    assert tuple(score["iou"]) == CLASS_SETS["vistas7"].classes
    val = json.loads((results / "data/target_val.json").read_text())
    assert np.sum(score["confusion"]) == sum(val["class_pixels"].values()) > 0
    for sample in val["samples"]:
        with Image.open(results / f"esl-round1/predictions/{sample['id']}.png") as image:
            assert list(image.size) == sample["size"]


def test_a_folder_of_unlabelled_photographs_adapts_end_to_end(finished, fresh, tiny):
    """Photographs of two telephones: pseudo-labels and predictions come out, and no score, which the result says."""
    shutil.copytree(finished.root / "data", fresh.root / "data")
    photos = fresh.root / "photos"
    for folder, split in (("trip", "train"), ("home", "val")):
        (photos / folder).mkdir(parents=True)
        for number, png in enumerate(sorted((fresh.root / "data").rglob(f"leftImg8bit/{split}/*/*.png"))):
            exif = Image.Exif()
            exif[274] = 1 if number % 2 else 6  # held upright: its pixels are stored lying
            picture = Image.open(png).resize((96, 72))
            picture.save(photos / folder / f"IMG_{number:04d}.JPG", exif=exif)
    target = {"dataset": "folder", "root": "photos", "train_split": "trip", "val_split": "home", "size": 64}
    change = {"benchmarks": {"gta2city": {"target": target, "methods": {"esl": {"rounds": 1}}}}}
    targets = ["esl-round1/miou.json", "esl-round1/predictions.json"]
    run = fresh.snakemake(change=change, targets=[f"results/gta2city/{file}" for file in targets])
    assert run.returncode == 0, run.stdout + run.stderr
    results = fresh.root / "results/gta2city"
    manifest = read(fresh, "esl-round1/pseudo_labels.json")
    assert manifest["images"] == 10 and manifest["quality"] is None and manifest["kept"] > 0.5
    sizes = {Image.open(path).size for path in (results / "esl-round1/pseudo_labels").glob("*.png")}
    assert sizes == {(64, 48), (48, 64)}
    predictions = {Image.open(path).size for path in (results / "esl-round1/predictions").glob("*.png")}
    assert predictions == {(96, 72), (72, 96)} and read(fresh, "esl-round1/predictions.json")["images"] == 6
    model = read(fresh, "esl-round1/miou.json")
    assert model["miou"] == {"cityscapes19": None} and (model["images"], model["unlabelled"]) == (0, 6)
    log = (fresh.root / "logs/gta2city/esl-round1/evaluate.log").read_text()
    assert "photos: nothing to evaluate with: none of 6 pictures has a label" in log


def test_a_data_set_and_a_class_set_of_ones_own_run_from_the_config_alone(finished, fresh, tiny):
    shutil.copytree(finished.root / "data", fresh.root / "data")
    root = "data/miniature/0/cityscapes"
    declared = {
        "pictures": "leftImg8bit/{split}/*/{frame}_leftImg8bit.png",
        "labels": [{"files": "gtFine/{split}/*/{frame}_gtFine_labelIds.png", "ids": "cityscapes"}],
    }
    classes = {
        "drivable": {"labels": ["road", "parking"], "colour": [128, 64, 128]},
        "obstacle": {"labels": ["car", "truck", "bus", "person", "rider"]},
        "rest": {"labels": ["building", "sky", "vegetation", "sidewalk"]},
    }
    run = fresh.snakemake(
        change={
            "datasets": {"camera": declared},
            "class_sets": {"drive3": classes},
            "benchmarks": {"gta2city": {"class_set": "drive3", "target": {"dataset": "camera", "root": root}}},
        },
        targets=["results/gta2city/source/miou.json"],
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(read(fresh, "source/miou.json")["miou"]) == ["drive3"]
    assert list(read(fresh, "source/miou.json")["iou"]) == [*classes]
