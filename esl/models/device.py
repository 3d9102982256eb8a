"""The device that a trained network runs on, and the precision that it computes in.

Trainings run through lightning-fabric, one ``Execution``. ``Device`` is another: a network that is only run, on one
device, needs no launchers and strategies, whose import takes 1.9 s of processor time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor, nn

HALF = {"bf16-mixed": torch.bfloat16, "16-mixed": torch.float16}
"""The type that convolutions and products compute in, by the name of the precision in lightning-fabric."""


class Execution(Protocol):
    """A device, and how a network runs on it."""

    @property
    def device(self) -> torch.device:
        """The device."""

    @property
    def setup_module(self) -> Callable[[nn.Module], Any]:
        """Puts a network on the device; calls of the result compute in the precision, and give float32."""

    @property
    def to_device(self) -> Callable[[Tensor], Any]:
        """Puts a tensor on the device."""


@dataclass(frozen=True)
class Device:
    """One device and a precision, without lightning-fabric, whose bytes it gives."""

    device: torch.device
    precision: str
    """``32-true``, ``bf16-mixed`` or ``16-mixed``."""

    def setup_module(self, network: nn.Module) -> nn.Module:
        """The network on the device, in the precision."""
        return _InPrecision(network.to(self.device), self)

    def to_device(self, tensor: Tensor) -> Tensor:
        """The tensor on the device."""
        return tensor.to(self.device)


class _InPrecision(nn.Module):
    """A network whose calls compute in the precision of a device."""

    def __init__(self, network: nn.Module, device: Device) -> None:
        super().__init__()
        self.network, self._device, self._half = network, device.device.type, HALF.get(device.precision)

    def forward(self, image_N3HW: Tensor) -> Any:
        """The logits of the network, as it names them, in float32."""
        if self._half is None:
            return self.network(image_N3HW)
        with torch.autocast(self._device, dtype=self._half):
            logits = self.network(image_N3HW.to(self._half))
        return logits._make(None if output is None else output.float() for output in logits)
