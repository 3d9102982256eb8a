"""Flags of the stages that run a network: on what, how precisely, on how many threads."""

import argparse

import torch
from lightning_fabric import Fabric


def add_device(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that say where and how precisely a network computes."""
    parser.add_argument("--accelerator", required=True, help="of lightning-fabric: auto, cpu, cuda, ...")
    parser.add_argument("--precision", required=True, help="of lightning-fabric: 32-true, bf16-mixed, 16-mixed")
    parser.add_argument("--threads", type=int, required=True, help="CPU threads; part of what fixes the last bits")


def make_fabric(flags: argparse.Namespace) -> Fabric:
    """The devices and the precision that the flags of ``add_device`` ask for, with ``--threads`` CPU threads."""
    torch.set_num_threads(flags.threads)
    fabric = Fabric(accelerator=flags.accelerator, devices=1, precision=flags.precision)
    fabric.launch()
    return fabric
