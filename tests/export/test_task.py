"""The task for CVAT: drawn images with their own bytes, and what a model predicts, to be corrected."""

from dataclasses import replace
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
import torch
from PIL import Image

from esl.classes import IGNORE
from esl.data.index import Index
from esl.errors import InputError
from esl.export.task import annotation, drawn_samples
from esl.files import write_json
from esl.labelling.contents import LabelSet
from esl.labelling.drawing import draw_images
from esl.labelling.draws.base import Evidence
from esl.labelling.returned.reading import read_annotated
from esl.labelling.settings import DrawSettings, LabelTaskSettings
from esl.models.build import build_network
from esl.models.checkpoint import Description, save_checkpoint
from esl.models.predictor import Prediction
from esl.stages import label_task, predict


@pytest.fixture
def drawn(tmp_path: Path, small_index: Index) -> Index:
    """Writes a draw of two images for scores and two for training, a checkpoint, and the index of bare images."""
    bare = [replace(sample, label=None, pixels=None, label_sha256=None) for sample in small_index.samples]
    index = replace(small_index, samples=bare)
    write_json(tmp_path / "index.json", index.to_json())
    content = draw_images(Evidence(index), index, DrawSettings(seed=0, measure=2, train=2))
    write_json(tmp_path / "draw.json", content.to_json())
    torch.manual_seed(0)
    network = build_network("small", 19)
    save_checkpoint(tmp_path / "checkpoint.pt", network.state_dict(), Description.of("small", index.class_set, {}, {}))
    return index


def _write(tmp_path: Path, output: str) -> Path:
    flags = {"drawn": "draw.json", "index": "index.json", "validation": "index.json", "checkpoint": "checkpoint.pt"}
    words = [word for name, file in {**flags, "output": output}.items() for word in (f"--{name}", str(tmp_path / file))]
    settings = LabelTaskSettings.model_validate({"size": "own", "compute": {"accelerator": "cpu"}})
    label_task.main([*words, "--settings", settings.canonical(), "--threads", "1"])
    return tmp_path / output


def test_the_task_holds_both_sets_with_their_images_and_what_the_model_predicts(tmp_path: Path, drawn: Index) -> None:
    path = _write(tmp_path, "a.zip")
    assert path.read_bytes() == _write(tmp_path, "b.zip").read_bytes()
    annotated = read_annotated(path, drawn.class_set)
    assert sorted(str(each.set) for each in annotated) == ["measure", "measure", "train", "train"]
    settings = '{"size": "own", "compute": {"accelerator": "cpu"}}'
    words = ["--checkpoint", str(tmp_path / "checkpoint.pt"), "--index", str(tmp_path / "index.json")]
    predict.main([*words, "--settings", settings, "--threads", "1", "--output", str(tmp_path / "predictions.json")])
    samples = {sample.image.rpartition(".")[0]: sample for sample in drawn.samples}
    with ZipFile(path) as archive:
        for each in annotated:
            sample = samples[each.name]
            assert archive.read(f"JPEGImages/{sample.image}") == drawn.image(sample).path.read_bytes()
            predicted = Image.open(tmp_path / f"predictions/{sample.id}.png")
            np.testing.assert_array_equal(each.read(), np.asarray(predicted))


def test_unsure_pixels_are_left_empty_where_that_is_asked_for(small_index: Index) -> None:
    probability = torch.full((19, 16, 24), 0.1 / 18)
    probability[3] = 0.9
    probability[3, :8], probability[4, :8] = 0.5, 0.4
    prediction = Prediction(small_index.samples[0], (16, 24), probability)
    assert (annotation(prediction, unsure="filled") == 3).all()
    empty = annotation(prediction, unsure="empty")
    assert (empty[:8] == IGNORE).all() and (empty[9:] == 3).all()


def test_an_image_that_changed_since_the_draw_is_named(small_index: Index) -> None:
    first, *rest = small_index.samples
    bare = replace(small_index, samples=[replace(first, label=None, pixels=None, label_sha256=None), *rest])
    content = draw_images(Evidence(bare), bare, DrawSettings(seed=0, measure=0, train=1))
    changed = replace(bare, samples=[replace(bare.samples[0], image_sha256="0" * 64), *rest])
    indices: dict[LabelSet, Index] = {"measure": bare, "train": changed}
    with pytest.raises(InputError, match=f"{first.image}: drawn to be labelled, but gone or changed since"):
        drawn_samples(content, indices)
