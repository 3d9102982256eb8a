"""Data sets beside the first benchmark's, end to end on a tiny miniature: other layouts, photographs, one's own."""

import json

import numpy as np
from PIL import Image

from esl.data.class_sets import CLASS_SETS


def read(project, name):
    return json.loads((project.root / "results/gta2city" / name).read_text())


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


def test_gta5_to_vistas_runs_in_7_classes_over_images_of_many_sizes(fresh, tiny):
    change = {"benchmarks": {"gta2vistas": tiny["benchmarks"]["gta2city"] | {"methods": {"cbst": {"rounds": 1}}}}}
    results = fresh.root / "results/gta2vistas"
    targets = ["esl-round1/miou.json", "cbst-round1/pseudo_labels.json", "esl-round1/predictions.json"]
    run = fresh.snakemake(change=change, targets=[f"results/gta2vistas/{file}" for file in targets])
    assert run.returncode == 0, run.stdout + run.stderr
    index = json.loads((results / "data/target_train.json").read_text())
    assert len(index["sizes"]) == 3 and index["labelled"] == 10
    sizes = {sample["id"]: tuple(sample["size_wh"]) for sample in index["samples"]}
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
            assert list(image.size) == sample["size_wh"]


def test_a_folder_of_unlabelled_photographs_adapts_end_to_end(rendered):
    """Photographs of two telephones: pseudo-labels and predictions come out, and no score, which the result says."""
    photos = rendered.root / "photos"
    for folder, split in (("trip", "train"), ("home", "val")):
        (photos / folder).mkdir(parents=True)
        for number, png in enumerate(sorted((rendered.root / "data").rglob(f"leftImg8bit/{split}/*/*.png"))):
            exif = Image.Exif()
            exif[274] = 1 if number % 2 else 6  # held upright: its pixels are stored lying
            photo = Image.open(png).resize((96, 72))
            photo.save(photos / folder / f"IMG_{number:04d}.JPG", exif=exif)
    target = {"dataset": "folder", "root": "photos", "train_split": "trip", "val_split": "home", "size": 64}
    change = {"benchmarks": {"gta2city": {"target": target, "methods": {"esl": {"rounds": 1}}}}}
    targets = ["esl-round1/miou.json", "esl-round1/predictions.json"]
    run = rendered.snakemake(change=change, targets=[f"results/gta2city/{file}" for file in targets])
    assert run.returncode == 0, run.stdout + run.stderr
    results = rendered.root / "results/gta2city"
    manifest = read(rendered, "esl-round1/pseudo_labels.json")
    assert manifest["images"] == 10 and manifest["quality"] is None and manifest["kept"] > 0.5
    sizes = {Image.open(path).size for path in (results / "esl-round1/pseudo_labels").glob("*.png")}
    assert sizes == {(64, 48), (48, 64)}
    predictions = {Image.open(path).size for path in (results / "esl-round1/predictions").glob("*.png")}
    assert predictions == {(96, 72), (72, 96)} and read(rendered, "esl-round1/predictions.json")["images"] == 6
    model = read(rendered, "esl-round1/miou.json")
    assert model["miou"] == {"cityscapes19": None} and (model["images"], model["unlabelled"]) == (0, 6)
    log = (rendered.root / "logs/gta2city/esl-round1/evaluate.log").read_text()
    assert "photos: nothing to evaluate: none of 6 images has a label" in log


def test_a_data_set_and_a_class_set_of_ones_own_run_from_the_config_alone(rendered):
    root = "data/miniature/0/cityscapes"
    declared = {
        "images": "leftImg8bit/{split}/*/{frame}_leftImg8bit.png",
        "labels": [{"files": "gtFine/{split}/*/{frame}_gtFine_labelIds.png", "ids": "cityscapes"}],
    }
    classes = {
        "drivable": {"labels": ["road", "parking"], "colour": [128, 64, 128]},
        "obstacle": {"labels": ["car", "truck", "bus", "person", "rider"]},
        "rest": {"labels": ["building", "sky", "vegetation", "sidewalk"]},
    }
    run = rendered.snakemake(
        change={
            "datasets": {"camera": declared},
            "class_sets": {"drive3": classes},
            "benchmarks": {"gta2city": {"class_set": "drive3", "target": {"dataset": "camera", "root": root}}},
        },
        targets=["results/gta2city/source/miou.json"],
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert list(read(rendered, "source/miou.json")["miou"]) == ["drive3"]
    assert list(read(rendered, "source/miou.json")["iou"]) == [*classes]
