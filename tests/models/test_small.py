"""The small network: the output contract of every network."""

import pytest
import torch

from esl.errors import InputError
from esl.models import NETWORKS, build_network


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize(("height", "width"), [(32, 64), (33, 50), (16, 16)])
def test_logits_come_at_a_quarter_of_the_size_rounded_up(name: str, height: int, width: int) -> None:
    network = build_network(name, 7).eval()
    with torch.inference_mode():
        logits = network(torch.rand(2, 3, height, width))
    assert logits.shape == (2, 7, -(-height // 4), -(-width // 4))


@pytest.mark.parametrize("name", NETWORKS)
def test_in_evaluation_a_picture_does_not_look_at_its_neighbours_in_the_batch(name: str) -> None:
    network = build_network(name, 5).eval()
    pictures = torch.rand(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together = network(pictures)
        alone = torch.cat([network(picture[None]) for picture in pictures])
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NETWORKS)
def test_every_parameter_gets_a_gradient(name: str) -> None:
    network = build_network(name, 5).train()
    network(torch.rand(2, 3, 64, 64)).square().sum().backward()
    silent = [key for key, value in network.named_parameters() if value.grad is None or not value.grad.any()]
    assert silent == []


@pytest.mark.parametrize("name", NETWORKS)
def test_the_global_seed_alone_decides_fresh_weights(name: str) -> None:
    weights = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        weights.append(torch.cat([value.ravel() for value in build_network(name, 5).parameters()]))
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_an_unknown_network_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="network: expected one of small"):
        build_network("smal", 19)
