"""Sliding windows: where they lie, and what their mean is."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lightning_fabric import Fabric
from torch import Tensor, nn

from esl.errors import InputError
from esl.models.build import build_network
from esl.models.logits import Logits
from esl.models.networks.deeplabv2 import DeepLabV2
from esl.models.predictor import Predictor
from esl.models.settings import GRID, SMALLEST_WINDOW, PredictionSettings
from esl.models.windows import window_spans
from tests.models.published_deeplabv2 import QUICK


def noise(height: int, width: int) -> Any:
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)


@given(st.integers(1, 3000), st.integers(SMALLEST_WINDOW // GRID, 40))
def test_windows_cover_a_side_overlap_and_begin_on_the_grid(length: int, cells: int) -> None:
    window = cells * GRID
    spans = window_spans(length, window)
    assert spans[0][0] == 0 and spans[-1][1] == length
    assert all(begin % GRID == 0 and end > begin for begin, end in spans)
    assert all(min(window, length) <= end - begin < window + GRID for begin, end in spans)
    assert all(first[1] - second[0] >= window / 3 - GRID for first, second in pairwise(spans))


def test_where_a_network_looks_only_at_its_own_cell_windows_change_nothing(pooling: Any, fabric: Fabric) -> None:
    for height, width in ((300, 420), (100, 300), (300, 100), (96, 128)):
        image = noise(height, width)
        whole = Predictor(pooling, fabric).probability([image, image[::-1]])
        windows = Predictor(pooling, fabric, window_wh=(128, 160)).probability([image, image[::-1]])
        torch.testing.assert_close(windows, whole)


class Mean(nn.Module):
    """Every logit is the mean of the channels over all that it sees, at stride 8."""

    def forward(self, x: Tensor) -> Logits:
        height, width = (-(-side // 8) for side in x.shape[-2:])
        return Logits(x.mean(dim=(2, 3), keepdim=True).expand(-1, -1, height, width))


def test_probabilities_are_averaged_where_windows_meet(fabric: Fabric) -> None:
    """By hand: 128 of 192 columns each, the second from 64 on; cells 8 to 15 of 24 lie in both."""
    image = noise(128, 192)
    mean = Predictor(Mean(), fabric, window_wh=(128, 128)).probability([image]).numpy()
    seen = [np.exp(part.mean(axis=(0, 1)) / 255) for part in (image[:, :128], image[:, 64:])]
    left, right = (each / each.sum() for each in seen)
    assert mean.shape == (1, 3, 16, 24)
    for cells, expected in ((slice(8), left), (slice(8, 16), (left + right) / 2), (slice(16, 24), right)):
        assert np.abs(mean[0, :, :, cells] - expected[:, None, None]).max() < 1e-6


@pytest.mark.parametrize("name", ["small", "lite0_fpn", "deeplabv2_resnet101_single", "smp/unet/resnet18"])
def test_the_grid_of_windows_is_that_of_the_whole_image(name: str, fabric: Fabric) -> None:
    image = noise(200, 290)
    network = DeepLabV2(5, blocks=QUICK, auxiliary=False) if name.startswith("deeplabv2") else build_network(name, 5)
    whole = Predictor(network, fabric).probability([image])
    windows = Predictor(network, fabric, window_wh=(128, 128)).probability([image])
    assert windows.shape == whole.shape
    torch.testing.assert_close(windows.sum(dim=1), torch.ones_like(windows[:, 0]))


def test_views_are_seen_through_windows_too(fabric: Fabric) -> None:
    image = noise(128, 192)
    plain = Predictor(Mean(), fabric, window_wh=(128, 128)).probability([image])
    mirrored = Predictor(Mean(), fabric, window_wh=(128, 128)).probability([image[:, ::-1]])
    mean = Predictor(Mean(), fabric, ["flip"], (128, 128)).probability([image])
    torch.testing.assert_close(mean, (plain + mirrored.flip(-1)) / 2)


def test_a_network_of_an_odd_stride_is_refused(fabric: Fabric) -> None:
    class Odd(nn.Module):
        def forward(self, x: Tensor) -> Logits:
            return Logits(x[..., ::5, ::5])

    with pytest.raises(InputError, match=r"inference.window: 26 probabilities over 128 pixels"):
        Predictor(Odd(), fabric, window_wh=(128, 128)).probability([noise(200, 300)])


@pytest.mark.parametrize("window", ["512", "96x512", "500x512"])
def test_a_window_that_cannot_work_is_refused(window: str) -> None:
    with pytest.raises(ValueError, match="window"):
        PredictionSettings(window=window)
