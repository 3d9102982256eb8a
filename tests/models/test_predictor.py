"""A network run over images: its softmax, its mode, and its errors."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn

from esl.data.index import Index
from esl.errors import InputError
from esl.models.logits import Logits
from esl.models.predictor import Predictor, stride_probability
from esl.models.views import view_of


class Forgetful(nn.Module):
    """Nine in ten features are forgotten, unless it is in evaluation mode."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Dropout(0.9), nn.Conv2d(3, 19, 1))

    def forward(self, x: Tensor) -> Logits:
        return Logits(self.layers(x))


def test_softmax_worked_by_hand_and_in_float32_for_half_precision() -> None:
    logits = torch.tensor([math.log(1), math.log(2), math.log(5)]).reshape(1, 3, 1, 1)
    torch.testing.assert_close(stride_probability(logits).ravel(), torch.tensor([1 / 8, 2 / 8, 5 / 8]))
    halved = stride_probability(logits.bfloat16())
    assert halved.dtype == torch.float32
    assert abs(halved.sum().item() - 1) < 1e-6


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_logit_that_is_nan_or_infinite_is_refused(bad: float) -> None:
    logits = torch.zeros(2, 3, 4, 4)
    logits[1, 2, 3, 0] = bad
    with pytest.raises(InputError, match="NaN or infinite"):
        stride_probability(logits)


def test_a_network_is_in_evaluation_mode_while_it_predicts(fabric: Fabric) -> None:
    predictor = Predictor(Forgetful().train(), fabric)
    image = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
    assert torch.equal(predictor.probability([image]), predictor.probability([image]))


@pytest.mark.parametrize("workers", [1, 3])
def test_predictions_come_in_the_order_of_the_samples_with_the_size_of_the_image_that_the_network_got(
    pooling: Any, fabric: Fabric, mixed_index: Index, workers: int
) -> None:
    predictor, samples = Predictor(pooling, fabric), mixed_index.samples[::-1]
    for to, sizes in ((None, [sample.size_wh[::-1] for sample in samples]), ((12, 8), [(8, 12)] * 5)):
        predictions = [*predictor.predictions(mixed_index, samples, to=to, batch=2, workers=workers)]
        assert [prediction.sample for prediction in predictions] == samples
        assert [prediction.size_hw for prediction in predictions] == sizes
        for sample, _, probability in predictions:
            expected = pooling.probability_by_hand(mixed_index.read_image(sample, to), None)
            assert np.abs(probability.numpy() - expected).max() < 1e-4


def test_logits_that_are_not_finite_are_reported_with_the_image(fabric: Fabric, small_index: Index) -> None:
    class Diverged(nn.Module):
        def forward(self, x: Tensor) -> Logits:
            return Logits(x * torch.nan)

    predictor = Predictor(Diverged(), fabric)
    name = small_index.samples[0].image
    with pytest.raises(InputError, match=f"^{name}: the network's output holds NaN"):
        next(predictor.predictions(small_index, small_index.samples, to=None, batch=1, workers=1))


def test_probabilities_are_the_mean_over_the_plain_image_and_its_views(pooling: Any, fabric: Fabric) -> None:
    """By hand: Pillow's resizing, softmax at stride 4 in float64, and corners aligned to the plain grid."""
    rng = np.random.default_rng(0)
    images = [rng.integers(0, 256, (4, 6, 3), dtype=np.uint8).repeat(4, axis=0).repeat(4, axis=1) for _ in range(2)]
    mean = Predictor(pooling, fabric, ["flip", 0.5, 1.5]).probability(images)
    assert mean.shape == (2, 19, 4, 6) and mean.dtype == torch.float32
    for image, own in zip(images, mean.numpy(), strict=True):
        scaled = [np.asarray(Image.fromarray(image).resize(wh, Image.Resampling.BICUBIC)) for wh in ((12, 8), (36, 24))]
        views = [pooling.probability_by_hand(image, None), pooling.probability_by_hand(image[:, ::-1], None)[..., ::-1]]
        views += [pooling.probability_by_hand(view, (4, 6)) for view in scaled]
        assert np.abs(own - np.mean(views, axis=0)).max() < 1e-4
        assert np.abs(own - views[0]).max() > 0.01


def test_without_views_not_a_bit_changes(pooling: Any, fabric: Fabric) -> None:
    image = np.random.default_rng(0).integers(0, 256, (16, 24, 3), dtype=np.uint8)
    plain = Predictor(pooling, fabric).probability([image])
    assert torch.equal(plain, Predictor(pooling, fabric, []).probability([image]))
    assert torch.equal(plain, stride_probability(pooling(torch.from_numpy(image).permute(2, 0, 1)[None] / 255).main))


def test_an_average_over_the_mirror_image_has_no_side(pooling: Any, fabric: Fabric) -> None:
    image = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8).repeat(4, 0).repeat(4, 1)
    predictor = Predictor(pooling, fabric, ["flip"])
    torch.testing.assert_close(predictor.probability([image]).flip(-1), predictor.probability([image[:, ::-1]]))


def test_a_view_has_at_least_one_pixel() -> None:
    assert view_of(np.zeros((3, 40, 3), np.uint8), 0.1).shape == (1, 4, 3)
