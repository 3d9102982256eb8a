"""Published weights that a training starts from: the network's own loader, on a local file."""

import operator
from pathlib import Path

import torch
from torch import nn

from esl.errors import InputError
from esl.files import sha256_of_file
from esl.models.registry import (
    missing_weights,
    network_entry,
    pretrained_mistake,
    resolve,
    weights_file,
)


def load_pretrained(name: str, network: nn.Module, weights: str) -> str:
    """Loads the file ``weights``, or torchvision's or a package's ImageNet weights, into the network called ``name``.

    Returns the file's SHA-256.

    Raises:
        InputError: the network does not start from these weights, or the file is missing or does not fit.
    """
    if mistake := pretrained_mistake(name, weights):
        raise InputError(f"pretrained: {mistake}")
    entry = network_entry(name)
    assert entry.loader is not None
    if missing := missing_weights(name, weights):
        raise InputError(f"pretrained: {missing}")
    path = weights_file(name, weights)
    if path is None:
        assert entry.torchvision_weights is not None
        path = _torchvision_file(entry.torchvision_weights)
    resolve(entry.loader)(network, path)
    return sha256_of_file(path)


def _torchvision_file(name: str) -> Path:
    """torchvision's file of the weights ``name``, such as ``ResNet101_Weights.IMAGENET1K_V2``, downloaded if needed."""
    import torchvision  # takes a while to import

    weights = operator.attrgetter(name)(torchvision.models)
    path = Path(str(torch.hub.get_dir()), "checkpoints", weights.url.rpartition("/")[2])
    if not path.is_file():
        try:
            weights.get_state_dict(progress=True, check_hash=True)
        except OSError as error:
            raise InputError(
                f"{path}: no such file, and {weights.url} cannot be reached ({error}); put the file there"
            ) from None
    return path
