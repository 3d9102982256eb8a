"""How a network is executed while it trains: with less memory, or compiled."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint

from esl.errors import InputError


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Every batch norm of a network."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


@contextmanager
def keeping_statistics(network: nn.Module) -> Iterator[None]:
    """Within it the running statistics of batch norm do not move; what normalises a batch stays the same."""
    norms = batch_norms(network)
    before = [(norm.momentum, norm.num_batches_tracked) for norm in norms]
    for norm, (_, number) in zip(norms, before, strict=True):
        norm.momentum = 0.0
        norm.num_batches_tracked = None if number is None else number.clone()
    try:
        yield
    finally:
        for norm, (momentum, number) in zip(norms, before, strict=True):
            norm.momentum, norm.num_batches_tracked = momentum, number


def checkpoint_activations(network: nn.Module) -> None:
    """Keeps only what enters each of ``network.blocks()`` until the backward pass, which computes the rest again.

    A training ends in the same bytes on the CPU, with less memory and a forward pass more per iteration (Chen et al.
    2016, sublinear memory cost).

    Not for a network that is compiled: torch does not vouch for the two together.

    Raises:
        InputError: the network names no blocks.
    """
    blocks: list[nn.Module] = getattr(network, "blocks", list)()
    if not blocks:
        raise InputError("compute.activation_checkpointing: this network names no blocks; set it to false")
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False, context_fn=partial(_passes, block))


def _passes(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """What surrounds the two forward passes of a block: statistics of batch norm follow the first alone."""
    return nullcontext(), keeping_statistics(block)


def compile_network(network: nn.Module, device: torch.device) -> str | None:
    """Has ``network`` compiled when it is called; names and weights stay as they are.

    Returns why nothing is compiled on ``device``, for example for want of a C++ compiler; the network then runs as it
    would have without. Parts that cannot be compiled run uncompiled, with a warning of torch.
    """
    try:
        with torch._dynamo.config.patch(suppress_errors=False):
            torch.compile(torch.sin)(torch.zeros(8, device=device))
    except Exception as error:  # whatever a compiler may throw
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    torch._dynamo.config.suppress_errors = True
    network.compile()
    return None
