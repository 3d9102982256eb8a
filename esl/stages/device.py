"""Flags of the stages that run a network: on what, how precisely, on how many threads."""

import argparse
import os
from typing import Any

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.environments.lightning import LightningEnvironment

from esl.errors import InputError


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say where and how precisely a network computes."""
    parser.add_argument("--accelerator", required=True, help="of lightning-fabric: auto, cpu, cuda, ...")
    parser.add_argument(
        "--precision", required=True, help="auto, or of lightning-fabric: 32-true, bf16-mixed, 16-mixed"
    )
    parser.add_argument("--devices", type=int, default=1, help="processes, each on a GPU of its own; 0: one, without")
    parser.add_argument("--threads", type=int, required=True, help="CPU threads; part of what fixes the last bits")


def make_fabric(flags: argparse.Namespace) -> Fabric:
    """The devices and the precision that the flags of ``add_device`` ask for, with ``--threads`` CPU threads.

    ``--precision auto`` becomes, in ``flags`` too, so that results tell it, bf16-mixed where the hardware computes with
    bfloat16 and 32-true elsewhere: a processor that only emulates it is ten times slower than with float32.
    """
    torch.set_num_threads(flags.threads)
    if flags.precision == "auto":
        device = Fabric(accelerator=flags.accelerator, devices=1).device
        flags.precision = "bf16-mixed" if _computes_bfloat16(device) else "32-true"
    devices = max(flags.devices, 1)
    fabric = Fabric(
        accelerator=flags.accelerator, devices=devices, precision=flags.precision, plugins=_environment(devices)
    )
    fabric.launch()
    if fabric.world_size < devices:
        raise InputError(f"--devices {devices}: only {fabric.world_size} processes were started; ask for as many tasks")
    return fabric


def _environment(devices: int) -> list[Any]:
    """Who starts the processes: Slurm, where its job has a task for each device; else this one, also within a job."""
    tasks = int(os.environ.get("SLURM_NTASKS", "1"))
    return [LightningEnvironment()] if devices > tasks else []


def _computes_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions for bfloat16."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return device.type == "cpu" and bool(capabilities.get("amx_bf16") or capabilities.get("avx512_bf16"))
