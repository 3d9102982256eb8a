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
    """Within the block the running statistics of batch norm do not change; batches are normalised as before."""
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
    """Keeps only the input of each of ``network.blocks()``; the backward pass computes the rest again.

    On the CPU a training gives the same bytes, with less memory and one more forward pass per iteration (Chen et al.
    2016, sublinear memory cost). Not for a compiled network: torch does not support the two together.

    Raises:
        InputError: the network names no blocks.
    """
    blocks: list[nn.Module] = getattr(network, "blocks", list)()
    if not blocks:
        raise InputError("compute.activation_checkpointing: this network has no `blocks()`; set it to false")
    for block in blocks:
        block.forward = partial(checkpoint, block.forward, use_reentrant=False, context_fn=partial(_passes, block))


def _passes(block: nn.Module) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """Contexts of a block's two forward passes: only the first one updates the statistics of batch norm."""
    return nullcontext(), keeping_statistics(block)


def compile_network(network: nn.Module, device: torch.device) -> str | None:
    """Compiles ``network`` on its first call; names and weights stay as they are.

    Returns the reason if nothing can be compiled on ``device``, such as a missing C++ compiler: the network then runs
    uncompiled. Single parts that torch cannot compile also run uncompiled, with a warning.
    """
    try:
        with torch._dynamo.config.patch(suppress_errors=False):
            torch.compile(torch.sin)(torch.zeros(8, device=device))
    except Exception as error:  # a compiler may raise anything
        return (str(error).strip() or type(error).__name__).splitlines()[0]
    torch._dynamo.config.suppress_errors = True
    network.compile()
    return None
