"""Other datasets end to end on a tiny miniature: other layouts, photographs, own declarations."""

import json

import numpy as np
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from tests.configs import merged, shipped

CAMERA = {
    "images": "leftImg8bit/{split}/*/{frame}_leftImg8bit.png",
    "labels": [{"files": "gtFine/{split}/*/{frame}_gtFine_labelIds.png", "ids": "cityscapes"}],
}
DRIVE3 = {
    "drivable": {"labels": ["road", "parking"], "colour": [128, 64, 128]},
    "obstacle": {"labels": ["car", "truck", "bus", "person", "rider"]},
    "rest": {"labels": ["building", "sky", "vegetation", "sidewalk"]},
}
PHOTOS = {"dataset": "folder", "root": "photos", "train_split": "trip", "val_split": "home", "size": 64}
ESL = {"control": None, "bdl": None, "esl": {"rounds": 1}}
TARGETS = {
    "synthia2city": ["esl-round1/pseudo_labels.json", "adapted/miou.json"],
    "gta2vistas": ["esl-round1/miou.json", "cbst-round1/pseudo_labels.json", "esl-round1/predictions.json"],
    "photographs": ["esl-round1/miou.json", "esl-round1/predictions.json"],
    "own": ["source/miou.json"],
}


def take_photographs(root):
    """Unlabelled photographs of two telephones, some held upright: their pixels are stored on their side."""
    for folder, split in (("trip", "train"), ("home", "val")):
        (root / "photos" / folder).mkdir(parents=True)
        for number, png in enumerate(sorted((root / "data").rglob(f"leftImg8bit/{split}/*/*.png"))):
            exif = Image.Exif()
            exif[274] = 1 if number % 2 else 6
            image = Image.open(png).resize((96, 72))
            image.save(root / "photos" / folder / f"IMG_{number:04d}.JPG", exif=exif)


def list_split(root):
    """Half of the training images of the miniature's source, as a list file."""
    names = sorted(path.name for path in (root / "data/miniature/0/gta5/images").glob("*.png"))
    (root / "half.txt").write_text("# every second image\n" + "".join(f"{name}\n" for name in names[::2]))


def run(project, benchmark, **change):
    """Runs the targets of a benchmark; ``change`` is laid over the tiny config."""
    done = project.snakemake(change=change, targets=[f"results/{benchmark}/{file}" for file in TARGETS[benchmark]])
    assert done.returncode == 0, done.stdout + done.stderr


def one_round(tiny, **entries):
    """The tiny settings with one round of ESL alone, and of ``entries``."""
    return {**tiny["benchmarks"]["gta2city"], "methods": {"esl": {"rounds": 1}, **entries}}


def gta2city(tiny):
    """The shipped benchmark, tiny, with one round of ESL alone."""
    return merged(shipped()["benchmarks"]["gta2city"], tiny["benchmarks"]["gta2city"], {"methods": ESL})


def read(project, name):
    return json.loads((project.root / "results" / name).read_text())


def test_synthia_to_cityscapes_runs_in_its_16_classes(rendered, tiny):
    run(rendered, "synthia2city", benchmarks={"synthia2city": one_round(tiny)})
    manifest, score = (read(rendered, f"synthia2city/{file}") for file in TARGETS["synthia2city"])
    classes = CLASS_SETS["synthia16"].classes
    assert tuple(manifest["kept_pixels"]) == tuple(score["iou"]) == classes
    assert list(score["miou"]) == ["synthia16", "synthia13", "synthia16+foreign", "synthia13+foreign"]
    assert list(score["foreign"]) == ["terrain", "truck", "train"]
    assert score["miou"]["synthia16+foreign"] < score["miou"]["synthia16"]
    assert manifest["images"] == manifest["quality"]["labelled_images"] == 10
    index = read(rendered, "synthia2city/data/source.json")
    assert index["dataset"] == "synthia" and index["class_pixels"]["road"] > 0


def test_gta5_to_vistas_runs_in_7_classes_over_images_of_many_sizes(rendered, tiny):
    run(rendered, "gta2vistas", benchmarks={"gta2vistas": one_round(tiny, cbst={"rounds": 1})})
    results = rendered.root / "results/gta2vistas"
    index = read(rendered, "gta2vistas/data/target_train.json")
    assert len(index["sizes"]) == 3 and index["labelled"] == 10
    sizes = {sample["id"]: tuple(sample["size_wh"]) for sample in index["samples"]}
    for round_ in ("esl-round1", "cbst-round1"):
        for id_, size_wh in sizes.items():
            with Image.open(results / round_ / f"pseudo_labels/{id_}.png") as image:
                assert image.size == size_wh
    score = read(rendered, "gta2vistas/esl-round1/miou.json")
    assert tuple(score["iou"]) == CLASS_SETS["vistas7"].classes
    val = read(rendered, "gta2vistas/data/target_val.json")
    assert np.sum(score["confusion"]) == sum(val["class_pixels"].values()) > 0
    for sample in val["samples"]:
        with Image.open(results / f"esl-round1/predictions/{sample['id']}.png") as image:
            assert list(image.size) == sample["size_wh"]


def test_a_folder_of_unlabelled_photographs_adapts_end_to_end(rendered, tiny):
    """Pseudo-labels and predictions come out, and no score, which the result says."""
    take_photographs(rendered.root)
    run(rendered, "photographs", benchmarks={"photographs": gta2city(tiny) | {"target": PHOTOS}})
    results = rendered.root / "results/photographs"
    manifest = read(rendered, "photographs/esl-round1/pseudo_labels.json")
    assert manifest["images"] == 10 and manifest["quality"] is None and manifest["kept"] > 0.5
    sizes = {Image.open(path).size for path in (results / "esl-round1/pseudo_labels").glob("*.png")}
    assert sizes == {(64, 48), (48, 64)}
    predictions = {Image.open(path).size for path in (results / "esl-round1/predictions").glob("*.png")}
    assert predictions == {(96, 72), (72, 96)}
    assert read(rendered, "photographs/esl-round1/predictions.json")["images"] == 6
    model = read(rendered, "photographs/esl-round1/miou.json")
    assert model["miou"] == {"cityscapes19": None} and (model["images"], model["unlabelled"]) == (0, 6)
    log = (rendered.root / "logs/photographs/esl-round1/evaluate.log").read_text()
    assert "photos: nothing to evaluate: none of 6 images has a label" in log


def test_a_dataset_a_class_set_and_a_list_file_of_your_own_run_from_the_config_alone(rendered, tiny):
    list_split(rendered.root)
    camera = {"dataset": "camera", "root": "data/miniature/0/cityscapes"}
    own = merged(gta2city(tiny), {"class_set": "drive3", "source": {"split": "half.txt"}}) | {"target": camera}
    run(rendered, "own", datasets={"camera": CAMERA}, class_sets={"drive3": DRIVE3}, benchmarks={"own": own})
    score = read(rendered, "own/source/miou.json")
    assert list(score["miou"]) == ["drive3"] and list(score["iou"]) == [*DRIVE3]
    index = read(rendered, "own/data/source.json")
    assert index["split"] == "half.txt" and index["images"] == 6
