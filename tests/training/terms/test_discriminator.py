"""The discriminator against its published layers, written down a second time."""

import pytest
import torch
import torch.nn.functional as F

from esl.training.terms.advent.discriminator import Discriminator


def test_layers_have_the_published_names_and_shapes() -> None:
    shapes = {name: tuple(value.shape) for name, value in Discriminator(19).state_dict().items()}
    assert shapes == {
        "0.weight": (64, 19, 4, 4),
        "0.bias": (64,),
        "2.weight": (128, 64, 4, 4),
        "2.bias": (128,),
        "4.weight": (256, 128, 4, 4),
        "4.bias": (256,),
        "6.weight": (512, 256, 4, 4),
        "6.bias": (512,),
        "8.weight": (1, 512, 4, 4),
        "8.bias": (1,),
    }


@pytest.mark.parametrize(("size_hw", "at_stride"), [((32, 32), (1, 1)), ((64, 127), (2, 3)), ((95, 160), (2, 5))])
def test_there_is_a_logit_for_every_32_pixels(size_hw: tuple[int, int], at_stride: tuple[int, int]) -> None:
    with torch.device("meta"):
        assert Discriminator(5)(torch.empty(2, 5, *size_hw)).shape == (2, 1, *at_stride)


def test_logits_are_those_of_the_published_layers_without_a_sigmoid() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3)
    state = {name: value.double() for name, value in discriminator.state_dict().items()}
    map_ = torch.rand(2, 3, 64, 96)
    x = map_.double()
    for number in (0, 2, 4, 6, 8):
        weight, bias = state[f"{number}.weight"], state[f"{number}.bias"]
        windows = F.unfold(x, 4, padding=1, stride=2)  # (N, 16 * channels, places)
        height, width = x.shape[-2] // 2, x.shape[-1] // 2
        x = (weight.flatten(1) @ windows + bias[:, None]).reshape(2, -1, height, width)
        if number < 8:
            x = torch.where(x > 0, x, 0.2 * x)
    logits = discriminator(map_)
    assert logits.min() < 0  # as no sigmoid's output is
    torch.testing.assert_close(logits.double(), x, rtol=1e-5, atol=1e-6)


def test_a_gradient_reaches_the_map_and_every_weight() -> None:
    torch.manual_seed(0)
    discriminator = Discriminator(3)
    map_ = torch.rand(1, 3, 64, 64, requires_grad=True)
    discriminator(map_).square().sum().backward()
    assert map_.grad is not None and map_.grad.any()
    silent = [name for name, value in discriminator.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []
