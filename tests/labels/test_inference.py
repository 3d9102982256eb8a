"""Loops over pictures against the same computed one picture at a time, in float64 numpy where that is possible."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Tensor, nn

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.registry import FORMATS
from esl.data.images import read_label, read_picture
from esl.data.index import Index
from esl.data.inspection import Checks, inspect
from esl.labels.fixed_point import CODES, TOP
from esl.labels.inference import Predictor, confusion_on, write_maps
from esl.labels.shard import Origin, open_shard, write_shard
from esl.models.registry import Logits

CLASSES = CLASS_SETS["cityscapes19"].classes
CHECKS = Checks(mismatched_labels="resize")


class Pooling(nn.Module):
    """A network at stride 4 whose logits anybody can compute: fixed weights on the mean colour of each 4x4 patch."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("weights", 30 * torch.randn(len(CLASSES), 3, generator=generator))

    def forward(self, x: Tensor) -> Logits:
        return Logits(torch.einsum("ck,nkhw->nchw", self.weights, nn.functional.avg_pool2d(x, 4)))


class Forgetful(nn.Module):
    """Nine in ten features are forgotten, unless it is in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.9), nn.Conv2d(3, 19, 1))

    def forward(self, x: Tensor) -> Logits:
        return Logits(self.layers(x))


@pytest.fixture
def predictor(fabric: Fabric) -> Predictor:
    return Predictor(Pooling(), fabric)


@pytest.fixture(scope="module")
def mixed_index(tmp_path_factory: pytest.TempPathFactory, write_cityscapes: Callable[..., Path]) -> Index:
    """Pictures of two sizes in turn; one label is half as large as its picture."""
    rng = np.random.default_rng(1)
    frames = {}
    for number, (width, height) in enumerate([(24, 16), (24, 16), (32, 8), (24, 16), (24, 16)]):
        ids = rng.integers(0, 34, (height, width), dtype=np.uint8)
        picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        frames[f"ulm_{number:06d}_000019"] = (picture, ids[::2, ::2] if number == 3 else ids)
    root = write_cityscapes(tmp_path_factory.mktemp("mixed"), "val", frames)
    return inspect("cityscapes", FORMATS["cityscapes"], root, "val", CLASS_SETS["cityscapes19"], CHECKS).checked()


def _probability(index: Index, number: int) -> NDArray[np.float64]:
    """(C, h, w) float64, by hand."""
    picture = read_picture(index.picture(index.samples[number])).astype(np.float64) / 255
    height, width = picture.shape[:2]
    colour = picture.reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))
    logits = np.einsum("ck,hwk->chw", Pooling().weights.double().numpy(), colour)
    exponential = np.exp(logits - logits.max(axis=0))
    return exponential / exponential.sum(axis=0)


def _upsample(probability: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """Bilinear with corners aligned, in float64."""
    rows, columns = (np.linspace(0, old - 1, new) for old, new in zip(probability.shape[1:], size, strict=True))
    weights = [
        np.maximum(0, 1 - np.abs(place[:, None] - np.arange(old)))
        for place, old in zip((rows, columns), probability.shape[1:], strict=True)
    ]
    return np.einsum("Hh,Ww,chw->cHW", *weights, probability)


def _write(predictor: Predictor, index: Index, path: Path, batch: int) -> Path:
    with write_shard(path, len(index.samples), Origin(CLASSES, "abc", "bilinear")) as writer:
        write_maps(predictor, index, index.samples, writer, size=None, batch=batch)
    return path


def test_maps_equal_the_method_by_hand(tmp_path: Path, predictor: Predictor, small_index: Index) -> None:
    path = _write(predictor, small_index, tmp_path / "1-of-1.h5", batch=2)
    with open_shard(path) as shard, h5py.File(path) as file:
        assert shard.ids == [sample.id for sample in small_index.samples]
        for row in range(len(shard.ids)):
            probability = _probability(small_index, row)
            assert np.abs(file["probability"][row] - probability).max() < 1e-3  # float16
            full = _upsample(probability, (16, 24))
            best, second = np.sort(full, axis=0)[::-1][:2]
            clear = best - second > 1e-4
            entropy = -(full * np.log(np.maximum(full, 1e-300))).sum(axis=0) / np.log(19)
            maps = shard.maps(row, ("label", "entropy", "confidence"))
            assert np.array_equal(maps["label"][clear], full.argmax(axis=0)[clear]) and clear.mean() > 0.9
            assert np.abs(maps["entropy"] / TOP - entropy).max() < 2e-5
            assert np.abs(maps["confidence"] / TOP - best).max() < 2e-5


def test_histograms_are_counted_from_the_codes_that_are_stored(
    tmp_path: Path, predictor: Predictor, small_index: Index
) -> None:
    with open_shard(_write(predictor, small_index, tmp_path / "1-of-1.h5", batch=2)) as shard:
        for measure in ("entropy", "confidence"):
            recount = np.zeros((19, CODES), dtype=np.int64)
            for row in range(len(shard.ids)):
                maps = shard.maps(row, ("label", "entropy", "confidence"))
                np.add.at(recount, (maps["label"], maps[measure]), 1)
            assert np.array_equal(shard.histogram(measure), recount)


def test_the_batch_size_changes_no_map(tmp_path: Path, predictor: Predictor, small_index: Index) -> None:
    one, three = (_write(predictor, small_index, tmp_path / f"{batch}.h5", batch) for batch in (1, 3))
    assert one.read_bytes() == three.read_bytes()


def test_a_given_size_is_what_the_network_sees_and_the_maps_have(
    tmp_path: Path, predictor: Predictor, mixed_index: Index
) -> None:
    with write_shard(tmp_path / "a.h5", 5, Origin(CLASSES, "abc", "bilinear")) as writer:
        write_maps(predictor, mixed_index, mixed_index.samples, writer, size=(12, 8), batch=3)
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["probability"].shape == (5, 19, 2, 3)
        assert file["label"].shape == (5, 8, 12)
    expected = predictor.probability([read_picture(mixed_index.picture(mixed_index.samples[2]), (12, 8))])
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["probability"][2], expected[0].numpy().astype(np.float16))


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_the_confusion_matrix_is_that_of_every_picture_at_its_labels_resolution(
    predictor: Predictor, mixed_index: Index, batch: int
) -> None:
    """Pictures of several sizes, and a label smaller than its picture."""
    expected = np.zeros((19, 19), dtype=np.int64)
    for number, sample in enumerate(mixed_index.samples):
        truth = read_label(mixed_index.label(sample), mixed_index.table)
        assert truth.shape == ((8, 12) if number == 3 else sample.size[::-1])
        prediction = _upsample(_probability(mixed_index, number), truth.shape).argmax(axis=0)
        np.add.at(expected, (truth[truth != 255], prediction[truth != 255]), 1)
    confusion = confusion_on(predictor, mixed_index, size=None, batch=batch)
    assert np.array_equal(confusion, expected)
    assert confusion.sum() == sum(sum(sample.pixels or []) for sample in mixed_index.samples)


def test_a_network_is_in_evaluation_mode_while_it_predicts(fabric: Fabric) -> None:
    predictor = Predictor(Forgetful().train(), fabric)
    picture = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert torch.equal(predictor.probability([picture]), predictor.probability([picture]))


def test_only_the_samples_asked_for_are_written_in_their_order(
    tmp_path: Path, predictor: Predictor, small_index: Index
) -> None:
    chosen = small_index.samples[1::2]
    with write_shard(tmp_path / "2-of-2.h5", 2, Origin(CLASSES, "abc", "bilinear")) as writer:
        write_maps(predictor, replace(small_index, samples=[]), chosen, writer, size=None, batch=4)
    with open_shard(tmp_path / "2-of-2.h5") as shard:
        assert shard.ids == [sample.id for sample in chosen]
