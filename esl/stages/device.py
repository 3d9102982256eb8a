"""The devices, precision and threads of a stage."""

import argparse
import os
from collections.abc import Callable

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from esl.errors import InputError
from esl.models.settings import ComputeSettings
from esl.stages.gpus import choose_gpus


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of a stage that runs a network: ``--devices`` and ``--threads``."""
    parser.add_argument(
        "--devices", type=int, default=1, help="number of processes, one per GPU; 0 means one, on the CPU"
    )
    parser.add_argument("--threads", type=int, required=True, help="CPU threads per node; they decide the last bits")


def resolved_precision(compute: ComputeSettings) -> str:
    """The precision that a network computes in, by its name in lightning-fabric.

    ``auto`` is bf16-mixed where the hardware has instructions for bfloat16, and 32-true elsewhere: a processor that
    only emulates them is ten times slower than with float32.

    Raises:
        InputError: this machine has no such device, or the device does not compute like that.
    """
    if compute.precision in ("32-true", "bf16-mixed"):
        return compute.precision
    _require_accelerator(compute.accelerator)
    device = Fabric(accelerator=compute.accelerator, devices=1).device
    if compute.precision == "16-mixed":
        if device.type == "cpu":  # where lightning-fabric would take bf16-mixed instead
            raise InputError("compute.precision: a CPU does not compute in 16-mixed; take auto, bf16-mixed or 32-true")
        return compute.precision
    return "bf16-mixed" if _computes_bfloat16(device) else "32-true"


def make_fabric(compute: ComputeSettings, *, threads: int, devices: int = 1) -> Fabric:
    """The devices and the precision that ``compute`` asks for, with all processes launched.

    ``devices`` counts the processes on all nodes (0 means one); those of a node share its ``threads`` CPU threads.

    Raises:
        InputError: this machine has no such device, or a launcher has started another number of processes.
    """
    _require_accelerator(compute.accelerator)
    torch.set_num_threads(threads)
    devices = max(devices, 1)
    environment, nodes = _environment(devices)
    fabric = Fabric(
        accelerator=compute.accelerator,
        devices=_devices_of_node(compute, environment, devices // nodes),
        num_nodes=nodes,
        precision=resolved_precision(compute),  # type: ignore[arg-type]
        plugins=[environment],
    )
    fabric.launch()
    torch.set_num_threads(max(threads * nodes // devices, 1))  # fabric may have set another number
    return fabric


def _devices_of_node(compute: ComputeSettings, environment: ClusterEnvironment, count: int) -> int | list[int]:
    """How many devices of this machine; which ones, where they are CUDA's and no launcher has assigned them."""
    ours = isinstance(environment, LightningEnvironment) and compute.accelerator in ("auto", "cuda")
    return choose_gpus(count) if ours and torch.cuda.is_available() else count


def _require_accelerator(accelerator: str) -> None:
    """InputError when PyTorch finds no device of this kind on this machine."""
    probes: dict[str, Callable[[], bool]] = {"cuda": torch.cuda.is_available, "mps": torch.backends.mps.is_available}
    if accelerator in probes and not probes[accelerator]():
        raise InputError(
            f"compute.accelerator: {accelerator}, but PyTorch {torch.__version__} finds no such device here; set it to "
            "auto or cpu, or install the driver and a build of PyTorch for it"
        )


def _environment(devices: int) -> tuple[ClusterEnvironment, int]:
    """What starts the processes, and on how many nodes: torchrun, a Slurm step of several tasks, or else this process.

    This process starts the others on its own node; also in a Slurm job, if the step has a single task.

    Raises:
        InputError: another number of processes than ``devices`` was started.
    """
    if TorchElasticEnvironment.detect():
        started, nodes = int(os.environ["WORLD_SIZE"]), int(os.environ["GROUP_WORLD_SIZE"])
        environment: ClusterEnvironment = TorchElasticEnvironment()
    elif int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        started, nodes = (int(os.environ[f"SLURM_STEP_NUM_{what}"]) for what in ("TASKS", "NODES"))
        environment = SLURMEnvironment(auto_requeue=False)
    else:
        return LightningEnvironment(), 1
    if started != devices:
        raise InputError(f"--devices {devices}: expected as many processes, but {started} were started")
    return environment, nodes


def _computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
