"""The loop over predictions against the method computed image by image, in float64 numpy where that is possible."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from lightning_fabric import Fabric

from esl.data.class_sets import CLASS_SETS
from esl.data.images import Resize
from esl.data.index import Index, IndexedSample
from esl.labels.fixed_point import CODES, TOP
from esl.labels.inference import planes, write_maps
from esl.labels.measures.build import measure_named
from esl.labels.shard import Origin, open_shard, write_shard
from esl.models.predictor import Predictor

MEASURES = ("entropy", "confidence")
ORIGIN = Origin(CLASS_SETS["cityscapes19"].classes, "abc", "bilinear")


@pytest.fixture
def predictor(pooling: Any, fabric: Fabric) -> Predictor:
    return Predictor(pooling, fabric)


def _write(
    predictor: Predictor, index: Index, samples: list[IndexedSample], path: Path, batch: int, to: Resize = None
) -> Path:
    shape = planes(predictor, samples, to)
    stored = {*MEASURES, "probability"}
    with write_shard(path, len(samples), ORIGIN, stored=stored, counted=MEASURES, planes=shape) as writer:
        predictions = predictor.predictions(index, samples, to=to, batch=batch, workers=1)
        write_maps(predictions, [measure_named(name) for name in MEASURES], writer)
    return path


def test_maps_equal_the_method_by_hand(tmp_path: Path, pooling: Any, predictor: Predictor, small_index: Index) -> None:
    path = _write(predictor, small_index, small_index.samples, tmp_path / "1-of-1.h5", batch=2)
    with open_shard(path) as shard, h5py.File(path, locking=False) as file:
        assert shard.ids == [sample.id for sample in small_index.samples]
        for row in range(len(shard.ids)):
            image = small_index.read_image(small_index.samples[row])
            probability = pooling.probability_by_hand(image, None)
            assert np.abs(file["probability"][row] - probability).max() < 1e-3  # float16
            full = pooling.probability_by_hand(image, (16, 24))
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
    with open_shard(_write(predictor, small_index, small_index.samples, tmp_path / "1-of-1.h5", batch=2)) as shard:
        for measure in ("entropy", "confidence"):
            recount = np.zeros((19, CODES), dtype=np.int64)
            for row in range(len(shard.ids)):
                maps = shard.maps(row, ("label", "entropy", "confidence"))
                np.add.at(recount, (maps["label"], maps[measure]), 1)
            assert np.array_equal(shard.histogram(measure), recount)


def test_the_batch_size_changes_no_map(tmp_path: Path, predictor: Predictor, small_index: Index) -> None:
    one, three = (
        _write(predictor, small_index, small_index.samples, tmp_path / f"{batch}.h5", batch) for batch in (1, 3)
    )
    assert one.read_bytes() == three.read_bytes()


def test_images_are_resized_to_a_given_size_and_maps_have_it(
    tmp_path: Path, predictor: Predictor, mixed_index: Index
) -> None:
    _write(predictor, mixed_index, mixed_index.samples, tmp_path / "a.h5", batch=3, to=(12, 8))
    with h5py.File(tmp_path / "a.h5") as file:
        assert file["probability"].shape == (5, 19, 2, 3)
        assert file["label"].shape == (5, 8, 12)
    expected = predictor.probability([mixed_index.read_image(mixed_index.samples[2], (12, 8))])
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["probability"][2], expected[0].numpy().astype(np.float16))


def test_only_the_samples_asked_for_are_written_in_their_order(
    tmp_path: Path, predictor: Predictor, small_index: Index
) -> None:
    chosen = small_index.samples[1::2]
    with open_shard(_write(predictor, small_index, chosen, tmp_path / "2-of-2.h5", batch=4)) as shard:
        assert shard.ids == [sample.id for sample in chosen]


def test_images_of_several_sizes_share_planes_of_the_largest(
    tmp_path: Path, pooling: Any, predictor: Predictor, mixed_index: Index
) -> None:
    path = _write(predictor, mixed_index, mixed_index.samples, tmp_path / "1-of-1.h5", batch=2)
    with h5py.File(path) as file:
        assert file["label"].shape == (5, 16, 32) and file["probability"].shape == (5, 19, 4, 8)
    with open_shard(path) as shard:
        for row, sample in enumerate(mixed_index.samples):
            maps = shard.maps(row, ["probability", "label"])
            probability = pooling.probability_by_hand(mixed_index.read_image(sample), None)
            assert np.abs(maps["probability"] - probability).max() < 1e-3
            assert maps["label"].shape == sample.size_wh[::-1]
