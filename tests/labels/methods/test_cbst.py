"""CBST against the published rule in float64, and its portions from round to round."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.labels.confidence import confidence_maps
from esl.labels.fixed_point import CODES, TOP, count_codes
from esl.labels.methods.base import Threshold
from esl.labels.methods.cbst import Cbst, CbstSettings

CBST = Cbst(CbstSettings())


def _stored(probability_Chw: torch.Tensor, size_hw: tuple[int, int]) -> dict[str, NDArray[Any]]:
    """The maps that a shard stores for an image."""
    maps = confidence_maps(probability_Chw, size_hw, [CBST.measure])
    return {"probability": probability_Chw.numpy().astype(np.float16), **maps}


def _network(seed: int, sharpness: float) -> tuple[torch.Tensor, list[dict[str, NDArray[Any]]]]:
    """Softmax of random logits (3, 6, 8, 10), float32, and the maps of each image at 23 x 31."""
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(3, 6, 8, 10, generator=generator)
    logits[:, 5] -= 1000  # a class that nobody predicts
    probability = logits.softmax(dim=1)
    return probability, [_stored(image, (23, 31)) for image in probability]


def _select(images: list[dict[str, NDArray[Any]]], round_: int) -> tuple[list[Threshold], NDArray[np.uint8]]:
    """Thresholds and pseudo-labels as the stages make them."""
    histogram = np.zeros((len(images[0]["probability"]), CODES), dtype=np.int64)
    for maps in images:
        count_codes(histogram, maps["label"], maps["confidence"])
    thresholds = CBST.thresholds({"confidence": histogram}, round_)
    values = [threshold.value for threshold in thresholds]
    return thresholds, np.stack([CBST.label(maps, values) for maps in images])


def _upsampled(probability: NDArray[Any]) -> NDArray[np.float64]:
    """(N, C, 8, 10) -> (N, C, 23, 31) in float64, corners aligned."""
    weights = [
        np.maximum(0, 1 - np.abs(np.linspace(0, old - 1, new)[:, None] - np.arange(old)))
        for old, new in ((8, 23), (10, 31))
    ]
    return np.einsum("Hh,Ww,nchw->ncHW", *weights, probability.astype(np.float64))


def _balanced_by_sorting(probability: NDArray[np.float64], quantile: float) -> NDArray[np.uint8]:
    """CBST (Zou et al. 2018) from full-resolution probabilities (N, C, H, W): sort, cut, weigh, argmax."""
    label, confidence = probability.argmax(axis=1), probability.max(axis=1)
    cuts = np.full(probability.shape[1], np.inf)
    for class_ in np.unique(label):
        chosen = np.sort(confidence[label == class_])
        cuts[class_] = chosen[min(round(len(chosen) * quantile), len(chosen) - 1)]
    ratio = probability / cuts[:, None, None]
    return np.where(ratio.max(axis=1) >= 1, ratio.argmax(axis=1), IGNORE).astype(np.uint8)


@pytest.mark.parametrize(("round_", "quantile"), [(1, 0.8), (2, 0.75), (7, 0.5)])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 3.0, 12.0])
def test_cbst_equals_the_published_rule_on_float64_probabilities(
    sharpness: float, round_: int, quantile: float
) -> None:
    """Except for pixels whose ratio is 1, or whose two best ratios are equal, within the rounding of stored values."""
    probability, images = _network(int(10 * sharpness), sharpness)
    thresholds, masks = _select(images, round_)
    full = _upsampled(probability.numpy())
    expected = _balanced_by_sorting(full, quantile)
    cuts = np.array([np.inf if threshold.value is None else threshold.value for threshold in thresholds])
    second, best = np.sort(full / cuts[:, None, None], axis=1)[:, -2:].swapaxes(0, 1)
    clear = (np.abs(best - 1) > 1e-3) & ((best - second > 1e-3) | (best < 1))
    assert np.array_equal(masks[clear], expected[clear])
    assert clear.mean() > 0.9
    assert not (masks == 5).any() and len(np.unique(masks)) == 6  # five classes and IGNORE
    label = np.stack([maps["label"] for maps in images])
    if sharpness < 2 and quantile == 0.5:
        assert ((masks != label) & (masks != IGNORE)).any()  # the balance gave some pixels another class


def test_cbst_cuts_probabilities_near_one_finer_than_float16_stores_them() -> None:
    unsure = torch.linspace(1e-5, 1e-3, 100)
    probability = torch.stack([1 - unsure, unsure])[:, None, :]
    assert len(np.unique(probability.numpy().astype(np.float16)[0])) < 5
    thresholds, masks = _select([_stored(probability, (1, 100))], 1)
    assert masks[0, 0].tolist() == [0] * thresholds[0].kept + [IGNORE] * (100 - thresholds[0].kept)
    assert 20 <= thresholds[0].kept <= 21  # of 100: two may share a code


def test_cbst_worked_by_hand() -> None:
    """One row of four pixels at the network's own stride, two classes with the thresholds 0.9 and 0.6."""
    first = np.array([0.95, 0.85, 0.35, 0.45])
    maps = {
        "label": np.array([[0, 0, 1, 1]], np.uint8),
        "confidence": np.rint(TOP * np.array([[0.95, 0.85, 0.65, 0.55]])).astype(np.uint16),
        "probability": np.stack([first, 1 - first]).reshape(2, 1, 4).astype(np.float16),
    }
    assert CBST.label(maps, [0.9, 0.6]).tolist() == [[0, IGNORE, 1, IGNORE]]
    # 0.45 / 0.3 > 0.55 / 0.5: the last pixel goes to the class that did not predict it
    assert CBST.label(maps, [0.3, 0.5]).tolist() == [[0, 0, 1, 0]]
    assert CBST.label(maps, [None, 0.5]).tolist() == [[IGNORE, IGNORE, 1, 1]]


def test_the_portion_grows_with_the_rounds_to_its_maximum() -> None:
    assert [CBST.portion(n) for n in range(1, 10)] == [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.5, 0.5]
    faster = Cbst(CbstSettings(portion=0.1, portion_step=0.3, portion_max=0.6))
    assert [faster.portion(n) for n in (1, 2, 3)] == [0.1, 0.4, 0.6]


def test_the_quantile_is_one_minus_the_portion() -> None:
    """Of codes 0 ... 99 a portion of 0.2 keeps those from rank 80 on, one of 0.3 those from rank 70."""
    counts = np.bincount(np.arange(100), minlength=CODES)[None]
    cuts = [CBST.thresholds({"confidence": counts}, round_)[0].value for round_ in (1, 2, 3)]
    assert cuts == [80 / TOP, 75 / TOP, 70 / TOP]
