"""The optimiser of a network, and the polynomial schedule of every learning rate."""

import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from esl.models.network import parameter_groups
from esl.training.settings import OptimizationSettings, ScheduleSettings


def build_optimizer(network: nn.Module, optimization: OptimizationSettings, learning_rate: float) -> Optimizer:
    """The optimiser of ``network``, each of whose parameter groups has a learning rate of its own."""
    groups = parameter_groups(network, learning_rate)
    decay = optimization.weight_decay
    if optimization.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=decay)
    momentum = optimization.momentum
    if optimization.repeat_backbone:
        return _repeating_sgd(network, groups, lr=learning_rate, momentum=momentum, weight_decay=decay)
    return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, weight_decay=decay)


def _repeating_sgd(network: nn.Module, groups: list[dict[str, Any]], **arguments: float) -> Optimizer:
    """SGD that moves a parameter of the backbone, the first of ``groups``, as often as the public code does."""
    assert callable(network.repeated_backbone)  # the settings were checked
    groups[0]["params"] = network.repeated_backbone()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="optimizer contains a parameter group with duplicate parameters")
        optimizer = torch.optim.SGD(groups, **arguments, foreach=False)  # one after the other
    optimizer.register_step_pre_hook(_at_rest)
    return optimizer


def _at_rest(optimizer: Optimizer, *_: Any) -> None:
    """Momentum begins with 0; torch would begin with the first gradient, once for each listing of a parameter."""
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            if "momentum_buffer" not in optimizer.state[parameter]:
                optimizer.state[parameter]["momentum_buffer"] = torch.zeros_like(parameter)


def polynomial_decay(schedule: ScheduleSettings, power: float) -> Callable[[int], float]:
    """Iteration -> the factor of every learning rate, in [0, 1] (Chen et al. 2017, DeepLab, section 4.1).

    In the first ``warmup`` iterations it is also multiplied by a factor that grows linearly to 1 (Goyal et al. 2017).

    >>> decay = polynomial_decay(ScheduleSettings(iterations=4, learning_rate=1, source_batch=1), power=2)
    >>> [decay(iteration) for iteration in range(5)]
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    def factor(iteration: int) -> float:
        decay: float = (1 - iteration / schedule.length) ** power
        return decay if iteration >= schedule.warmup else decay * (iteration + 1) / (schedule.warmup + 1)

    return factor
