"""The task for CVAT holds drawn images as they are, with predictions that come back as they were, through datumaro."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
import torch

from esl.classes import IGNORE
from esl.errors import InputError
from esl.files import write_json
from esl.labelling.contents import Drawn, DrawnImage, LabelSet, read_labels
from esl.labelling.kinds import annotated_images
from esl.labelling.task import SURE
from esl.labels.confidence import label_map, upsample_probability
from esl.models.build import build_network
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.device import Device
from esl.models.predictor import Predictor
from esl.stages import labels
from esl.stages.label_task import main
from tests.labelling.datumaro_tool import converted
from tests.labelling.label_files import CLASSES, NAMES, SETS, Label, Target, sets_of, write_target

CPU = {"accelerator": "cpu", "precision": "32-true"}
TASK = {"measure": ["val/other", "val/drive 2/frame.v1"], "train": ["train/straße/ä b", "train/drive 1/frame.v1"]}
"""The drawn images, in the order of the draw."""

SPREAD = 1000
"""The last weights of a fresh network times this give probabilities on both sides of ``SURE``."""


def draw(target: Target, names: dict[str, list[str]]) -> Drawn:
    def images(set_: LabelSet) -> dict[str, DrawnImage]:
        samples = {sample.image.removesuffix(".jpg"): sample for sample in target.indices[set_].samples}
        return {
            samples[name].id: DrawnImage(image=samples[name].image, sha256=samples[name].image_sha256, score=None)
            for name in names[set_]
        }

    return Drawn(rule="random", seed=0, measure=images("measure"), train=images("train"))


@pytest.fixture
def run(tmp_path: Path, target: Target) -> Callable[..., Path]:
    """Runs the stage with a network whose probabilities are spread over [0, 1]."""
    torch.manual_seed(0)
    weights = build_network("small", 19).state_dict()
    last = [name for name in weights if name.endswith("weight")][-1]
    weights[last] *= SPREAD
    save_checkpoint(tmp_path / "checkpoint.pt", weights, Description.of("small", CLASSES, {}, {}))

    def run(
        names: dict[str, list[str]] = TASK, drawn: Drawn | None = None, target: Target = target, **settings: Any
    ) -> Path:
        write_json(tmp_path / "draw.json", (drawn or draw(target, names)).to_json())
        for set_, index in target.indices.items():
            write_json(tmp_path / f"{set_}.json", index.to_json())
        output = tmp_path / "label/cvat.zip"
        files = {"drawn": "draw.json", "train-index": "train.json", "val-index": "measure.json"}
        paths = {**{flag: tmp_path / file for flag, file in files.items()}, "checkpoint": tmp_path / "checkpoint.pt"}
        words = [word for flag, path in paths.items() for word in (f"--{flag}", str(path))]
        own = json.dumps({"size": "own", "compute": CPU} | settings)
        main([*words, "--threads", "2", "--output", str(output), "--settings", own])
        return output

    return run


def predictions(target: Target, checkpoint: Path) -> dict[str, tuple[Label, Label]]:
    """By the name of each image: the argmax, and the argmax of sure pixels alone, by the plain form."""
    network, _ = load_checkpoint(checkpoint, CLASSES)
    predictor = Predictor(network, Device(torch.device("cpu"), "32-true"))
    found = {}
    for index in target.indices.values():
        for each in predictor.predictions(index, index.samples, to=None, batch=1, workers=1):
            probability, label = (
                upsample_probability(each.probability[None], (16, 24))[0],
                label_map(each.probability, (16, 24)),
            )
            sure = np.where(probability.amax(dim=0).numpy() < SURE, IGNORE, label).astype(np.uint8)
            found[each.sample.image.removesuffix(".jpg")] = label, sure
    return found


def test_the_task_holds_the_bytes_of_the_drawn_images_and_their_sets(run: Callable[..., Path], target: Target) -> None:
    path = run()
    with ZipFile(path) as archive:
        for set_ in SETS:
            listed = archive.read(f"ImageSets/Segmentation/{set_}.txt").decode().splitlines()
            assert listed == TASK[set_]
            for name in listed:
                assert archive.read(f"JPEGImages/{name}.jpg") == (target.root / f"{name}.jpg").read_bytes()
        assert len([name for name in archive.namelist() if name.startswith("JPEGImages/")]) == 4
    assert sets_of(path) == {set_: sorted(names) for set_, names in TASK.items()}


@pytest.mark.parametrize("unsure", ["filled", "empty"])
def test_pixels_that_the_model_is_unsure_of_are_filled_or_left_empty(
    run: Callable[..., Path], target: Target, tmp_path: Path, unsure: str
) -> None:
    expected = predictions(target, run(unsure=unsure).parents[1] / "checkpoint.pt")
    empty = []
    for image in annotated_images(tmp_path / "label/cvat.zip"):
        filled, sure = expected[image.name]
        label = image.read(CLASSES).train_ids
        assert np.array_equal(label, filled if unsure == "filled" else sure)
        empty.append((label == IGNORE).mean())
    assert 0.1 < np.mean(empty) < 0.9 if unsure == "empty" else not any(empty)


def test_the_task_comes_back_from_datumaro_as_the_labels_that_it_holds(
    run: Callable[..., Path], target: Target, tmp_path: Path
) -> None:
    path = run(unsure="empty")
    with ZipFile(path) as archive:
        archive.extractall(tmp_path / "imported")
    back = converted(tmp_path / "imported", "voc_segmentation", tmp_path / "exported")
    words = ["--train-index", tmp_path / "train.json", "--val-index", tmp_path / "measure.json"]
    output = tmp_path / "label/labels.json"
    labels.main([*map(str, words), "--output", str(output), "--settings", json.dumps({"labels": str(back)})])
    files = read_labels(output).files
    sent = {image.name: image for image in annotated_images(path)}
    for set_ in SETS:
        for name in TASK[set_]:
            id_ = target.id_of(name)
            assert files[id_].set == set_
            (read,) = annotated_images_of(output.with_suffix(""), id_)
            assert np.array_equal(read, sent[name].read(CLASSES).train_ids)
    assert len(files) == 4


def annotated_images_of(folder: Path, id_: str) -> list[Label]:
    return [image.read(CLASSES).train_ids for image in annotated_images(folder) if image.name == id_]


def test_the_same_task_has_the_same_bytes(run: Callable[..., Path]) -> None:
    assert run().read_bytes() == run().read_bytes()


def test_one_set_may_be_empty_and_both_may_not(run: Callable[..., Path]) -> None:
    assert sets_of(run({**TASK, "train": []})).keys() == {"measure"}
    with pytest.raises(InputError, match="no image was drawn for labels"):
        run({"measure": [], "train": []})


def test_an_image_that_changed_since_the_draw_is_refused(run: Callable[..., Path], target: Target) -> None:
    drawn = draw(target, TASK)
    (id_, image), *_ = drawn.train.items()
    for other in ({id_: image.model_copy(update={"sha256": "0" * 64})}, {"gone": image}):
        with pytest.raises(InputError, match=f"{image.image}: changed or gone since it was drawn .* draw again"):
            run(drawn=drawn.model_copy(update={"train": other}))


def test_an_image_that_changed_since_it_was_indexed_is_refused(run: Callable[..., Path], tmp_path: Path) -> None:
    own = write_target(tmp_path / "target", NAMES)
    (own.root / "val/other.jpg").write_bytes((own.root / "train/plain.jpg").read_bytes())
    with pytest.raises(InputError, match=r"val/other\.jpg: changed since it was indexed"):
        run(target=own)
    assert not [*(tmp_path / "label").iterdir()]
