"""The optimiser's groups and the polynomial schedule."""

import math
from copy import deepcopy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from esl.models.networks.deeplabv2 import CLASSIFIERS, DeepLabV2
from esl.training.optimizer import build_optimizer, polynomial_decay
from esl.training.settings import OptimizationSettings, ScheduleSettings

SCHEDULE = ScheduleSettings(iterations=2, schedule=4, learning_rate=0.5, source_batch=1)


def test_the_polynomial_rate_worked_by_hand() -> None:
    decay = polynomial_decay(SCHEDULE, power=2.0)
    assert [0.5 * decay(i) for i in range(5)] == [0.5, 0.28125, 0.125, 0.03125, 0.0]
    assert polynomial_decay(SCHEDULE, power=0.9)(2) == pytest.approx(math.exp(-0.9 * math.log(2)))


def test_without_a_schedule_the_rate_falls_to_zero_over_the_iterations() -> None:
    schedule = ScheduleSettings(iterations=4, learning_rate=0.5, source_batch=1)
    assert [polynomial_decay(schedule, power=1.0)(i) for i in (0, 1, 4)] == [1.0, 0.75, 0.0]


def test_a_warm_up_grows_linearly_and_leaves_the_rest_of_the_schedule_as_it_is() -> None:
    schedule = ScheduleSettings(iterations=8, learning_rate=0.5, source_batch=1, warmup=3)
    plain = polynomial_decay(schedule.model_copy(update={"warmup": 0}), power=1.0)
    factors = [polynomial_decay(schedule, power=1.0)(i) / plain(i) for i in range(8)]
    assert factors == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1, 1, 1])


class Groups(nn.Module):
    """Two layers, the second of which learns ten times as fast, like the classifiers of the paper's network."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(2, 2), nn.Linear(2, 2)

    def parameter_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        return [
            {"params": [*self.first.parameters()], "lr": learning_rate},
            {"params": [*self.second.parameters()], "lr": 10 * learning_rate},
        ]


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_classifiers_of_the_papers_network_learn_ten_times_as_fast(optimizer: Any) -> None:
    network = Groups()
    optimization = OptimizationSettings(optimizer=optimizer, momentum=0.5, weight_decay=0.25)
    built = build_optimizer(network, optimization, 0.1)
    scheduler = LambdaLR(built, polynomial_decay(SCHEDULE, power=1.0))
    rates = []
    for _ in range(3):
        rates.append([group["lr"] for group in built.param_groups])
        network.second(network.first(torch.ones(2))).sum().backward()
        built.step()
        scheduler.step()
    assert rates == [pytest.approx([rate, 10 * rate]) for rate in (0.1, 0.075, 0.05)]
    assert {group["weight_decay"] for group in built.param_groups} == {0.25}
    assert {group.get("momentum") for group in built.param_groups} == {0.5 if optimizer == "sgd" else None}


def _public_sgd(network: DeepLabV2, inputs: list[Tensor]) -> None:
    """The public code of ADVENT: its list of backbone parameters, and the SGD of torch 0.4, by hand."""
    listed = []
    for part in (network.conv1, network.bn1, network.layer1, network.layer2, network.layer3, network.layer4):
        for module in part.modules():
            for parameter in module.parameters():
                if parameter.requires_grad:
                    listed.append((parameter, 0.1))
    listed += [(parameter, 1.0) for name, parameter in network.named_parameters() if name.startswith(CLASSIFIERS)]
    momentum = {parameter: torch.zeros_like(parameter) for parameter, _ in listed}
    for image in inputs:
        network.zero_grad()
        network(image).main.square().mean().backward()
        for parameter, rate in listed:
            if parameter.grad is not None:  # the auxiliary classifier's has none here
                parameter.grad.add_(parameter.data, alpha=0.01)  # in place: d_p is p.grad.data
                momentum[parameter].mul_(0.9).add_(parameter.grad)
                parameter.data.add_(momentum[parameter], alpha=-rate)


def test_a_repeated_backbone_moves_as_in_the_public_code_and_resumes() -> None:
    torch.manual_seed(0)
    network = DeepLabV2(3, blocks=(1, 1, 1, 1)).train()
    inputs = [torch.rand(1, 3, 33, 33) for _ in range(4)]
    expected = deepcopy(network)
    _public_sgd(expected, inputs)
    optimization = OptimizationSettings(optimizer="sgd", momentum=0.9, weight_decay=0.01, repeat_backbone=True)
    optimizer = build_optimizer(network, optimization, 0.1)
    for place, image in enumerate(inputs):
        if place == 2:  # as a training that was killed
            state = optimizer.state_dict()
            optimizer = build_optimizer(network, optimization, 0.1)
            optimizer.load_state_dict(deepcopy(state))
        optimizer.zero_grad()
        network(image).main.square().mean().backward()
        optimizer.step()
    for name, value in expected.state_dict().items():
        assert torch.equal(network.state_dict()[name], value), name
