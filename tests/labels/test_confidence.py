"""Entropy, upsampling and codes against numbers worked by hand and float64 numpy."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from esl.labels import tiles
from esl.labels.confidence import confidence_maps, encode, label_map, plain_confidence_maps, upsample_probability
from esl.labels.fixed_point import TOP
from esl.labels.measures.build import measure_named
from esl.labels.measures.entropy import normalised_entropy
from esl.labels.measures.registry import MEASURES
from esl.models.predictor import stride_probability

BOTH = [measure_named("entropy"), measure_named("confidence")]


def test_only_the_measures_asked_for_are_computed() -> None:
    probability = _random_probability(7, 1, 3, 2, 2)[0]
    for form in (confidence_maps, plain_confidence_maps):
        assert [*form(probability, (3, 3), [])] == ["label"]
        assert [*form(probability, (3, 3), BOTH[1:])] == ["label", "confidence"]


def _entropy(*probability: float) -> float:
    return normalised_entropy(torch.tensor(probability).reshape(1, -1, 1, 1)).item()


def _random_probability(seed: int, *shape: int) -> torch.Tensor:
    """(N, C, h, w): from nearly uniform to nearly one-hot."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randn(shape, generator=generator) * torch.logspace(-2, 1.5, shape[-1])).softmax(dim=1)


def _upsample_by_hand(values_hw: NDArray[np.float64], size_hw: tuple[int, int]) -> NDArray[np.float64]:
    """Bilinear with corners aligned, one axis after the other, in float64."""
    for axis, length in enumerate(size_hw):
        old = values_hw.shape[axis]
        place = np.linspace(0, old - 1, length)
        low = np.minimum(place.astype(int), max(old - 2, 0))
        high = np.minimum(low + 1, old - 1)
        part = np.expand_dims(place - low, 1 - axis)
        values_hw = values_hw.take(low, axis) * (1 - part) + values_hw.take(high, axis) * part
    return values_hw


@pytest.mark.parametrize("num_classes", [2, 3, 7, 13, 16, 19])
def test_uniform_probabilities_have_entropy_one_and_the_top_code(num_classes: int) -> None:
    uniform = torch.full((1, num_classes, 1, 1), 1 / num_classes)
    assert normalised_entropy(uniform).item() == pytest.approx(1, abs=1e-6)
    assert normalised_entropy(uniform).item() <= 1
    assert encode(normalised_entropy(uniform)).item() == TOP


@pytest.mark.parametrize("num_classes", [2, 19])
def test_a_one_hot_probability_has_entropy_exactly_zero(num_classes: int) -> None:
    assert _entropy(*[0.0] * (num_classes - 1), 1.0) == 0
    assert _entropy(1.0, *[0.0] * (num_classes - 1)) == 0


def test_entropies_worked_by_hand() -> None:
    assert _entropy(0.5, 0.5, 0.0, 0.0) == 0.5  # ln 2 / ln 4
    assert _entropy(0.5, 0.25, 0.25, 0.0) == pytest.approx(0.75, abs=1e-6)  # 1.5 ln 2 / ln 4
    assert _entropy(0.75, 0.25) == pytest.approx(2 - 0.75 * math.log2(3), abs=1e-6)


def test_entropy_equals_float64_numpy() -> None:
    probability = _random_probability(0, 2, 19, 20, 30)
    p = probability.numpy().astype(np.float64)
    expected = -(p * np.log(np.where(p > 0, p, 1))).sum(axis=1) / np.log(19)
    assert np.abs(normalised_entropy(probability).numpy() - expected).max() < 1e-6


@pytest.mark.parametrize("size_hw", [(9, 13), (2, 3), (16, 8), (1, 1)])
def test_upsampled_probabilities_still_sum_to_one(size_hw: tuple[int, int]) -> None:
    upsampled = upsample_probability(_random_probability(1, 2, 19, 3, 4), size_hw)
    assert upsampled.shape == (2, 19, *size_hw)
    assert upsampled.min() >= 0
    assert (upsampled.sum(dim=1) - 1).abs().max() < 1e-6


def test_upsampling_aligns_corners() -> None:
    stride = _random_probability(2, 1, 3, 2, 2)
    full = upsample_probability(stride, (3, 5))
    assert torch.equal(full[..., ::2, ::4], stride)  # the four corners are untouched
    torch.testing.assert_close(full[..., 1, 2], stride.mean(dim=(2, 3)))  # the centre is the mean of all four
    torch.testing.assert_close(full[..., 0, 1], 0.75 * stride[..., 0, 0] + 0.25 * stride[..., 0, 1])


def test_probabilities_are_upsampled_and_not_logits() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 20.0]]).reshape(1, 2, 1, 2)  # classes 0 and 1 at two stride pixels
    # a quarter of the way: 0.75 * 0.88 = 0.66 for class 0, but its logit is 0.75 * 2 against 0.25 * 20
    assert upsample_probability(logits, (1, 5)).argmax(dim=1).tolist() == [[[0, 1, 1, 1, 1]]]
    assert confidence_maps(stride_probability(logits)[0], (1, 5), [])["label"].tolist() == [[0, 0, 1, 1, 1]]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=50))
def test_a_code_is_the_nearest_to_its_value(values: list[float]) -> None:
    codes = encode(torch.tensor(values, dtype=torch.float64))
    assert codes.dtype == np.uint16
    assert np.abs(np.array(values) - codes / TOP).max() <= 0.5 / TOP + 1e-15


@given(st.lists(st.integers(0, TOP), min_size=1, max_size=50))
def test_a_code_survives_decoding_and_encoding(codes: list[int]) -> None:
    assert encode(torch.tensor(codes, dtype=torch.float64) / TOP).tolist() == codes
    assert encode((torch.tensor(codes, dtype=torch.float64) / TOP).float()).tolist() == codes


Form = Callable[..., dict[str, NDArray[Any]]]
FORMS = pytest.mark.parametrize("form", [confidence_maps, plain_confidence_maps])


@FORMS
@pytest.mark.parametrize(
    ("stride", "size_hw"),
    [
        ((4, 6), (11, 17)),
        ((4, 6), (4, 6)),  # nothing to upsample
        ((4, 6), (3, 2)),  # smaller than the stride
        ((4, 6), (9, 1)), ((1, 6), (5, 9)), ((5, 1), (9, 4)),
        ((1, 1), (1, 1)), ((1, 1), (3, 5)), ((3, 4), (1, 1)),
        ((17, 33), (129, 257)),
    ],
)  # fmt: skip
def test_maps_equal_the_rule_in_float64_numpy(form: Form, stride: tuple[int, int], size_hw: tuple[int, int]) -> None:
    probability = _random_probability(3, 1, 5, *stride)[0]
    maps = form(probability, size_hw, BOTH)
    p = np.stack([_upsample_by_hand(plane, size_hw) for plane in probability.numpy().astype(np.float64)])
    entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(axis=0) / np.log(5)
    best, second = np.sort(p, axis=0)[::-1][:2]
    clear = best - second > 1e-5
    assert clear.mean() > 0.8
    assert np.array_equal(maps["label"][clear], p.argmax(axis=0)[clear])
    assert np.abs(maps["entropy"] / TOP - entropy).max() < 0.51 / TOP + 1e-6
    assert np.abs(maps["confidence"] / TOP - best).max() < 0.51 / TOP + 1e-6
    dtypes = {"label": np.uint8, "entropy": np.uint16, "confidence": np.uint16}
    assert {name: values.dtype for name, values in maps.items()} == dtypes
    assert {values.shape for values in maps.values()} == {size_hw}


@FORMS
def test_probabilities_of_exactly_zero_and_one_give_exact_codes(form: Form) -> None:
    one_hot = torch.nn.functional.one_hot(torch.arange(19), 19).T[:, None, :].float()  # class k at stride pixel k
    maps = form(one_hot, (5, 19), BOTH)
    assert (maps["entropy"] == 0).all() and (maps["confidence"] == TOP).all()
    assert (maps["label"] == np.arange(19)).all()
    midway = form(one_hot[:, :, :2].contiguous(), (1, 3), BOTH)  # half class 0, half class 1 between the two
    assert midway["confidence"].tolist() == [[TOP, round(TOP / 2), TOP]]
    assert midway["entropy"].tolist() == [[0, round(TOP * math.log(2) / math.log(19)), 0]]


@pytest.mark.parametrize("num_classes", [2, 16, 19, 255])
def test_of_equal_probabilities_the_first_class_wins(num_classes: int) -> None:
    """PyTorch's interpolation rounds equal planes apart; the tiles do not."""
    maps = confidence_maps(torch.full((num_classes, 3, 3), 1 / num_classes), (7, 7), BOTH)
    assert not maps["label"].any()
    assert (maps["entropy"] == TOP).all()
    last = torch.zeros(num_classes, 2, 2)
    last[-2:] = 0.5
    assert (confidence_maps(last, (3, 3), [])["label"] == num_classes - 2).all()


def test_no_tile_holds_more_than_fits_the_cache_and_its_height_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    probability = _random_probability(4, 1, 19, 9, 17)[0]
    size_hw = (65, 129)
    whole = confidence_maps(probability, size_hw, BOTH)
    for values in (1, 5 * 19 * 129, 10**9):
        monkeypatch.setattr(tiles, "TILE_VALUES", values)
        covered: list[int] = []
        for rows, tile in tiles.upsampled_tiles(probability.numpy(), size_hw):
            assert tile.shape == (19, rows.stop - rows.start, 129)
            assert tile.size <= max(values, 19 * 129)
            covered += range(rows.start, rows.stop)
        assert covered == [*range(65)]
        maps = confidence_maps(probability, size_hw, BOTH)
        assert maps.keys() == whole.keys() and all(np.array_equal(maps[name], whole[name]) for name in whole)


def test_the_label_alone_is_that_of_the_maps() -> None:
    probability = _random_probability(5, 1, 19, 9, 17)[0]
    assert np.array_equal(label_map(probability, (65, 129)), confidence_maps(probability, (65, 129), BOTH)["label"])


def test_tiles_and_plain_pytorch_agree_to_the_last_code_or_the_one_next_to_it() -> None:
    probability = _random_probability(6, 1, 19, 17, 33)[0]
    measures = [measure_named(name) for name in MEASURES]
    tiled, plain = (form(probability, (128, 256), measures) for form in (confidence_maps, plain_confidence_maps))
    assert np.mean(tiled["label"] != plain["label"]) < 1e-4
    for name in MEASURES:
        difference = np.abs(tiled[name].astype(int) - plain[name])
        assert difference.max() <= 1 and difference.mean() < 0.05
