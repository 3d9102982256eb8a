"""The optimiser's groups and the polynomial schedule."""

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

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
