"""Flags of the stages that run a network: on what, how precisely, on how many threads."""

import argparse
import os

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.cluster_environment import ClusterEnvironment
from lightning_fabric.plugins.environments.lightning import LightningEnvironment
from lightning_fabric.plugins.environments.slurm import SLURMEnvironment
from lightning_fabric.plugins.environments.torchelastic import TorchElasticEnvironment

from esl.errors import InputError


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say where and how precisely a network computes."""
    parser.add_argument("--accelerator", required=True, help="of lightning-fabric: auto, cpu, cuda, ...")
    parser.add_argument(
        "--precision", required=True, help="auto, or of lightning-fabric: 32-true, bf16-mixed, 16-mixed"
    )
    parser.add_argument("--devices", type=int, default=1, help="processes on all nodes, each on its own GPU; 0: one")
    parser.add_argument("--threads", type=int, required=True, help="CPU threads of a node; they fix the last bits")


def make_fabric(flags: argparse.Namespace) -> Fabric:
    """The devices and the precision that the flags of ``add_device`` ask for; processes of a node share ``--threads``.

    ``--precision auto`` becomes, in ``flags`` too, so that results tell it, bf16-mixed where the hardware computes with
    bfloat16 and 32-true elsewhere: a processor that only emulates it is ten times slower than with float32.
    """
    torch.set_num_threads(flags.threads)
    if flags.precision == "auto":
        device = Fabric(accelerator=flags.accelerator, devices=1).device
        flags.precision = "bf16-mixed" if _computes_bfloat16(device) else "32-true"
    devices = max(flags.devices, 1)
    environment, nodes = _environment(devices)
    fabric = Fabric(
        accelerator=flags.accelerator,
        devices=devices // nodes,
        num_nodes=nodes,
        precision=flags.precision,
        plugins=[environment],
    )
    fabric.launch()
    torch.set_num_threads(max(flags.threads * nodes // devices, 1))  # fabric may have set another number
    return fabric


def _environment(devices: int) -> tuple[ClusterEnvironment, int]:
    """Who starts the processes, and on how many nodes: torchrun or a step of Slurm where it has started several.

    Else this process starts the others, on its own node; also within a job of Slurm, whose step has one task.

    Raises:
        InputError: others than ``devices`` processes were started.
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
