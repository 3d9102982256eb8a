"""Rare-class sampling: DAFormer's probabilities, and positions that depend on the seed alone."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE, IdTable
from esl.data.rarity import MIN_SHARE, RareClassDraws, draws_by_labels
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream, batches

PIXELS = [[600, 0, 0], [500, 100, 0], [400, 0, 1], [500, 90, 0]]
SIZES = [1000] * 4
TRAIN_IDS = IdTable(np.arange(256, dtype=np.uint8), np.ones(256, dtype=np.bool_))


def _draws(pixels: list[list[int]] = PIXELS, temperature: float = 0.5) -> RareClassDraws:
    draws = RareClassDraws.of(pixels, SIZES, temperature)
    assert draws is not None
    return draws


def test_images_are_drawn_as_often_as_the_formula_says() -> None:
    """Every class is drawn by exp((1 - f) / T); class 2 has less than the smallest share anywhere, and is kept."""
    draws = _draws()
    frequency = np.array([2000, 190, 1]) / 2191
    expected = np.exp((1 - frequency) / 0.5)
    expected /= expected.sum()
    np.testing.assert_allclose(draws.probability, expected)
    assert [rows.tolist() for rows in draws.images] == [[0, 1, 2, 3], [1, 3], [2]]
    by_image = [expected[0] / 4, expected[0] / 4 + expected[1] / 2, expected[0] / 4 + expected[2]]
    counts = Counter(draws.row(np.random.default_rng(k)) for k in range(8000))
    np.testing.assert_allclose(
        [counts[row] / 8000 for row in range(4)], [*by_image[:2], by_image[2], by_image[1]], atol=0.02
    )


def test_a_few_pixels_of_a_class_do_not_count_where_other_images_hold_more() -> None:
    few = int(1000 * MIN_SHARE)
    draws = _draws([[900, 0, few], [900, 0, few + 1], [900, 0, 0], [900, 0, 0]])
    assert [rows.tolist() for rows in draws.images] == [[0, 1, 2, 3], [1]]


def test_the_published_temperature_overflows_nothing_and_draws_the_rarest_most() -> None:
    probability = _draws(temperature=0.01).probability
    assert np.isfinite(probability).all() and probability.sum() == pytest.approx(1)
    assert probability[2] > probability[1] > probability[0]


def test_without_any_labelled_pixel_there_are_no_draws() -> None:
    assert RareClassDraws.of([[0, 0], [0, 0]], [10, 10], 0.01) is None


@pytest.fixture
def pairs(tmp_path: Path) -> Pairs:
    """Four images of one grey value each, the third with the only pixels of class 1, the last one all ignored."""
    files: list[tuple[Path, Path | None]] = []
    for number in range(4):
        image, label = tmp_path / f"{number}.png", tmp_path / f"{number}_label.png"
        Image.fromarray(np.full((8, 16, 3), 10 * number, dtype=np.uint8)).save(image)
        ids = np.full((8, 16), IGNORE if number == 3 else 0, dtype=np.uint8)
        ids[2:5, :] = 1 if number == 2 else ids[2:5, :]
        Image.fromarray(ids).save(label)
        files.append((image, label))
    return Pairs(files, TRAIN_IDS, None)


def test_label_files_give_the_draws_of_their_pixels(pairs: Pairs) -> None:
    labels = [label for _, label in pairs.files if label is not None]
    draws = draws_by_labels(labels, pairs.table, 2, 0.1)
    expected = RareClassDraws.of([[128, 0], [128, 0], [80, 48], [0, 0]], [128] * 4, 0.1)
    assert draws is not None and expected is not None
    np.testing.assert_array_equal(draws.probability, expected.probability)
    assert [rows.tolist() for rows in draws.images] == [[0, 1, 2], [2]]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_position_of_a_stream_is_the_same_image_for_any_number_of_workers(pairs: Pairs, workers: int) -> None:
    augmentation = AugmentationSettings(crop="16x8", min_scale=1.0, colour=0, blur=0)
    labels = [label for _, label in pairs.files if label is not None]
    stream = Stream(pairs, augmentation, (3, 1), draws_by_labels(labels, pairs.table, 2, 1.0))
    values = [int(stream[k][0].max()) for k in range(12)]
    assert values.count(20) > 6 and 30 not in values
    whole = batches(stream, batch_size=2, start=0, stop=6, rank=0, world_size=1, workers=workers)
    assert [int(image.max()) for images, _ in whole for image in images] == values
    later = batches(stream, batch_size=2, start=4, stop=6, rank=0, world_size=1, workers=workers)
    assert [int(image.max()) for images, _ in later for image in images] == values[8:]
    other = Stream(replace(pairs), augmentation, (4, 1), draws_by_labels(labels, pairs.table, 2, 1.0))
    assert [int(other[k][0].max()) for k in range(12)] != values
