"""The processes, devices and precision of a training: lightning-fabric, set up from the settings and a launcher."""

import argparse
import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from esl.errors import InputError
from esl.models.settings import ComputeSettings
from esl.stages.device import add_threads, require_accelerator, resolved_precision
from esl.stages.gpus import choose_gpus


def add_processes(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of a training: ``--devices`` and ``--threads``."""
    parser.add_argument(
        "--devices", type=int, default=1, help="number of processes, one per GPU; 0 means one, on the CPU"
    )
    add_threads(parser)


def make_fabric(compute: ComputeSettings, *, threads: int, devices: int = 1) -> Fabric:
    """The devices and the precision that ``compute`` asks for, with all processes launched.

    ``devices`` counts the processes on all nodes (0 means one); those of a node share its ``threads`` CPU threads.

    Raises:
        InputError: this machine has no such device, or a launcher has started another number of processes.
    """
    require_accelerator(compute.accelerator)
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
    """The number of devices of this machine, or the chosen GPUs where no launcher has assigned any."""
    ours = isinstance(environment, LightningEnvironment) and compute.accelerator in ("auto", "cuda")
    return choose_gpus(count) if ours and torch.cuda.is_available() else count


def _environment(devices: int) -> tuple[ClusterEnvironment, int]:
    """The launcher of the processes, and its nodes: torchrun, a Slurm step of several tasks, or else this process.

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
