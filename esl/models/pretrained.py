"""Published weights that a training starts from: which fit a network, where their file is, and how it is loaded."""

import operator
from importlib.util import find_spec
from pathlib import Path
from pkgutil import resolve_name
from typing import TYPE_CHECKING

from esl.errors import InputError, Problem
from esl.files import sha256_of_file
from esl.models.build import network_entry
from esl.models.notes import EXTRA
from esl.models.registry import NETWORKS, PACKAGE, PACKAGES, SMP, TORCHVISION

if TYPE_CHECKING:
    from torch import nn

KEYS = ("pretrained",)
"""The config key of every problem here."""


def pretrained_problem(name: str, pretrained: str | None) -> Problem | None:
    """The reason why a network cannot start from ``pretrained``; ``None`` if it can, or if only the file is missing.

    ``pretrained`` is a path, ``TORCHVISION``, ``PACKAGE``, or ``None`` for fresh weights.
    """
    entry = network_entry(name)
    if pretrained is None:
        return None
    if entry.loader is None:
        others = ", ".join(other for other, known in NETWORKS.items() if known.loader)
        return Problem(
            KEYS,
            f"{name} does not start from published weights; set pretrained to null, or take one of {others}, or a "
            f"network of {SMP}",
        )
    if pretrained == TORCHVISION and entry.torchvision_weights is None:
        fitting = ", ".join(other for other, known in NETWORKS.items() if known.torchvision_weights)
        return Problem(KEYS, f"torchvision's weights fit {fitting}, not {name}")
    if pretrained == PACKAGE and entry.package is None:
        return Problem(
            KEYS, f"packages bring weights of the encoders {', '.join(PACKAGES)}, not of {name}; name a file"
        )
    return None


def weights_file(name: str, pretrained: str | None) -> Path | None:
    """The local file of ``pretrained``, which may be missing; ``None`` for fresh weights and for torchvision's."""
    if pretrained in (None, TORCHVISION):
        return None
    if pretrained != PACKAGE:
        return Path(str(pretrained))
    package, _, path = str(network_entry(name).package).partition(":")
    found = find_spec(package)
    folders = found.submodule_search_locations if found else None
    return Path(folders[0], path) if folders else Path(package, path)


def missing_weights(name: str, pretrained: str | None) -> Problem | None:
    """The local file of published weights that does not exist, and where to get it; ``None`` if nothing is missing."""
    path = weights_file(name, pretrained)
    if path is None or path.is_file():
        return None
    if pretrained == PACKAGE:
        return Problem(KEYS, f"the package that brings these weights is not installed: {EXTRA}")
    entry = network_entry(name)
    hint = "" if entry.weights_hint is None else resolve_name(entry.weights_hint)(**entry.arguments)
    return Problem(KEYS, f"no such file: {path}; {hint}")


def load_pretrained(name: str, network: "nn.Module", weights: str) -> str:
    """Loads the file ``weights``, or torchvision's or a package's ImageNet weights, into the network called ``name``.

    Returns the file's SHA-256.

    Raises:
        InputError: the network does not start from these weights, or the file is missing or does not fit.
    """
    if problem := pretrained_problem(name, weights) or missing_weights(name, weights):
        raise InputError(str(problem))
    entry = network_entry(name)
    assert entry.loader is not None
    path = weights_file(name, weights)
    if path is None:
        assert entry.torchvision_weights is not None
        path = _torchvision_file(entry.torchvision_weights)
    resolve_name(entry.loader)(network, path)
    return sha256_of_file(path)


def _torchvision_file(name: str) -> Path:
    """torchvision's file of the weights ``name``, such as ``ResNet101_Weights.IMAGENET1K_V2``, downloaded if needed."""
    import torch  # planning reads this module without it
    import torchvision

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
