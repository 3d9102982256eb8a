"""The optimiser of a network, and the polynomial schedule of every learning rate."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from esl.models.network import parameter_groups
from esl.training.settings import OptimizationSettings, ScheduleSettings


def build_optimizer(network: nn.Module, optimization: OptimizationSettings, learning_rate: float) -> Optimizer:
    """The optimiser of ``network``; each of its parameter groups has a learning rate of its own."""
    groups = parameter_groups(network, learning_rate)
    decay = optimization.weight_decay
    if optimization.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=learning_rate, weight_decay=decay)
    momentum = optimization.momentum
    if optimization.repeat_backbone:
        assert callable(network.repeated_backbone)  # the settings were checked
        repeats = Counter(network.repeated_backbone())
        return _RepeatingSgd(groups, repeats, lr=learning_rate, momentum=momentum, weight_decay=decay)
    return torch.optim.SGD(groups, lr=learning_rate, momentum=momentum, weight_decay=decay)


class _RepeatingSgd(torch.optim.SGD):
    """SGD of torch 0.4: a parameter that is listed several times moves as often in a step.

    It adds the decay to the gradient itself, so that each time decays more; momentum begins with 0.
    """

    def __init__(self, groups: list[dict[str, Any]], repeats: Mapping[nn.Parameter, int], **arguments: Any) -> None:
        super().__init__(groups, **arguments)
        self._repeats = repeats

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # nothing passes a closure
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                buffer = state.setdefault("momentum_buffer", torch.zeros_like(parameter))
                for _ in range(self._repeats.get(parameter, 1)):
                    parameter.grad.add_(parameter, alpha=group["weight_decay"])
                    buffer.mul_(group["momentum"]).add_(parameter.grad)
                    parameter.add_(buffer, alpha=-group["lr"])


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
