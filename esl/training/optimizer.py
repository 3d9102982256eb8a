"""The optimiser of a network, and the polynomial schedule of every learning rate."""

from collections.abc import Callable

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
    return torch.optim.SGD(groups, lr=learning_rate, momentum=optimization.momentum, weight_decay=decay)


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
