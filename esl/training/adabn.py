"""Adaptive batch norm: a source model with the target's statistics, before any pseudo-label."""

import math

import torch
from lightning_fabric import Fabric
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import update_bn
from tqdm import tqdm

from esl.data.stream import Stream, batches
from esl.errors import InputError
from esl.models.network import as_input


def adapt_batch_norm(network: nn.Module, target: Stream, *, batch: int, fabric: Fabric, workers: int) -> None:
    """Replaces the statistics of every batch norm by the target images' (Li et al. 2016, AdaBN).

    No weight changes and no label is read. The statistics are the mean over the batches of one pass over ``target``,
    ``batch`` images each. Flip, scale and crop should be as in the training; changes of colour and
    blur should be off, since they would hide the very colours to adapt to.

    Raises:
        InputError: the network has no batch norm that keeps statistics.
    """
    if not any(isinstance(module, _BatchNorm) and module.track_running_stats for module in network.modules()):
        raise InputError(
            "training.source.adaptation: abn needs a network with batch norm, and this one has none; set it to none"
        )
    model = fabric.setup_module(network.to(memory_format=torch.channels_last))
    number = math.ceil(target.epoch / batch)
    stream = batches(target, batch_size=batch, start=0, stop=number, rank=0, world_size=1, workers=workers)
    inputs = (as_input(fabric.to_device(image)) for image, _ in tqdm(stream, total=number, unit="batch"))
    update_bn(inputs, model)
    network.eval()
