"""Loops over images against the same computed one image at a time, in float64 numpy."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lightning_fabric import Fabric
from PIL import Image

from esl.data.index import Index
from esl.evaluation.predict import confusions_on, write_predictions
from esl.files import sha256_of_file
from esl.models.predictor import Predictor


@pytest.mark.parametrize("batch", [1, 2, 8])
def test_the_confusion_matrix_is_that_of_every_image_at_its_labels_resolution(
    pooling: Any, fabric: Fabric, mixed_index: Index, batch: int
) -> None:
    """Images of several sizes, and a label smaller than its image."""
    expected = np.zeros((19, 19), dtype=np.int64)
    for number, sample in enumerate(mixed_index.samples):
        truth = mixed_index.read_label(sample)
        assert truth.shape == ((8, 12) if number == 3 else sample.size_wh[::-1])
        prediction = pooling.probability_by_hand(mixed_index.read_image(sample), truth.shape).argmax(axis=0)
        np.add.at(expected, (truth[truth != 255], prediction[truth != 255]), 1)
    confusion = sum(confusions_on(Predictor(pooling, fabric), mixed_index, to=None, batch=batch))
    assert np.array_equal(confusion, expected)
    assert confusion.sum() == sum(sum(sample.pixels or []) for sample in mixed_index.samples)


@pytest.mark.parametrize("workers", [1, 3])
def test_predictions_are_written_at_the_size_of_their_images_and_others_are_removed(
    tmp_path: Path, pooling: Any, fabric: Fabric, mixed_index: Index, workers: int
) -> None:
    (tmp_path / "stale.png").write_bytes(b"")
    predictor = Predictor(pooling, fabric)
    pixels, digests = write_predictions(predictor, mixed_index, tmp_path, to=None, batch=2, workers=workers)
    assert {path.name for path in tmp_path.iterdir()} == {f"{id_}.png" for id_ in digests}
    assert [*digests] == [sample.id for sample in mixed_index.samples]
    expected = np.zeros(19, dtype=np.int64)
    for sample in mixed_index.samples:
        image, png = mixed_index.read_image(sample), tmp_path / f"{sample.id}.png"
        label = np.asarray(Image.open(png))
        assert np.array_equal(label, pooling.probability_by_hand(image, image.shape[:2]).argmax(axis=0))
        assert digests[sample.id] == sha256_of_file(png)
        expected += np.bincount(label.ravel(), minlength=19)
    assert np.array_equal(pixels, expected)
