"""The device, precision and threads of a stage that runs a network."""

import argparse
from collections.abc import Callable

import torch

from esl.errors import InputError
from esl.models.device import Device
from esl.models.settings import ComputeSettings
from esl.stages.gpus import choose_gpus


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Adds the flag of a stage that runs a network: ``--threads``."""
    parser.add_argument("--threads", type=int, required=True, help="CPU threads per node; they decide the last bits")


def make_device(compute: ComputeSettings, *, threads: int) -> Device:
    """The device and the precision that ``compute`` asks for, on ``threads`` CPU threads.

    Raises:
        InputError: this machine has no such device, or the device does not compute like that.
    """
    precision = resolved_precision(compute)
    device = _device(compute.accelerator)
    torch.set_num_threads(threads)
    if device.type == "cuda":
        device = torch.device("cuda", choose_gpus(1)[0])
        torch.cuda.set_device(device)
    return Device(device, precision)


def resolved_precision(compute: ComputeSettings) -> str:
    """The precision that a network computes in, by its name in lightning-fabric.

    ``auto`` is bf16-mixed where the hardware has instructions for bfloat16, and 32-true elsewhere: a processor that
    only emulates them is ten times slower than with float32.

    Raises:
        InputError: this machine has no such device, or the device does not compute like that.
    """
    if compute.precision in ("32-true", "bf16-mixed"):
        return compute.precision
    device = _device(compute.accelerator)
    if compute.precision == "16-mixed":
        if device.type == "cpu":  # where lightning-fabric would take bf16-mixed instead
            raise InputError("compute.precision: a CPU does not compute in 16-mixed; take auto, bf16-mixed or 32-true")
        return compute.precision
    return "bf16-mixed" if _computes_bfloat16(device) else "32-true"


def require_accelerator(accelerator: str) -> None:
    """Raises InputError when PyTorch finds no device of this kind on this machine."""
    if accelerator in PROBES and not PROBES[accelerator]():
        raise InputError(
            f"compute.accelerator: {accelerator}, but PyTorch {torch.__version__} finds no such device here; set it to "
            "auto or cpu, or install the driver and a build of PyTorch for it"
        )


PROBES: dict[str, Callable[[], bool]] = {
    "mps": lambda: torch.backends.mps.is_available(),
    "cuda": lambda: torch.cuda.is_available(),
}
"""Accelerators in the order in which `auto` takes them, as lightning-fabric does; else the CPU."""


def _device(accelerator: str) -> torch.device:
    """The kind of device that `compute.accelerator` means on this machine; InputError as ``require_accelerator``."""
    require_accelerator(accelerator)
    if accelerator == "auto":
        accelerator = next((name for name, is_there in PROBES.items() if is_there()), "cpu")
    return torch.device(accelerator)


def _computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
