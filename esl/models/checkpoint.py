"""The checkpoint: weights, the settings to rebuild the network, and its provenance."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from torch import Tensor, nn

from esl.classes import ClassSet
from esl.errors import InputError, explanations, one_line
from esl.files import atomic_path
from esl.models.build import build_network, network_problem
from esl.models.weights import read_tensors

FORMAT_VERSION = 2

Name = Annotated[str, Field(max_length=200)]
"""The name of a network or a class set."""


@dataclass(frozen=True)
class Description:
    """The description of a checkpoint; every value is plain JSON."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    network: Name
    class_set: Name
    classes: tuple[str, ...]
    settings: dict[str, Any]  # of the training
    provenance: dict[str, Any]  # digests of all inputs

    @classmethod
    def of(
        cls, network: str, class_set: ClassSet, settings: dict[str, Any], provenance: dict[str, Any]
    ) -> "Description":
        """The description of a network for the classes of ``class_set``."""
        return cls(network, class_set.name, class_set.classes, settings, provenance)


def save_checkpoint(path: Path, weights: Mapping[str, Tensor], description: Description) -> None:
    """Writes the checkpoint atomically; the same weights and description give the same bytes."""
    content = {
        "format_version": FORMAT_VERSION,
        # through JSON: pickle writes equal strings differently when they are one object
        "description": json.loads(json.dumps(asdict(description))),
        "weights": {name: tensor.detach().cpu().contiguous().clone() for name, tensor in weights.items()},
    }
    save_tensors(path, content)


def save_tensors(path: Path, content: dict[str, Any]) -> None:
    """``torch.save`` into an open file: given a path, it would write the temporary name into the archive."""
    with atomic_path(path) as part, part.open("wb") as file:
        torch.save(content, file)


def load_tensors(path: Path) -> dict[str, Any]:
    """Reads a file of ``save_tensors`` onto the CPU; no code in the file is ever run.

    Raises:
        InputError: the file is missing or damaged, or holds more than tensors and plain values.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such checkpoint; run the stage that trains it: snakemake {path}")
    content = read_tensors(path, kind="a checkpoint", fix="delete it and train again")
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a checkpoint of this project, but it holds a {type(content).__name__}")
    return content


def load_checkpoint(path: Path, class_set: ClassSet) -> tuple[nn.Module, Description]:
    """The network in evaluation mode, on the CPU, and its description.

    Raises:
        InputError: the file is not a checkpoint of this version, or it is for another class set, or its weights are
            those of another network or not finite.
    """
    content = load_tensors(path)
    version = content.get("format_version")
    if type(version) is not int or version != FORMAT_VERSION:
        raise InputError(f"{path}: expected a checkpoint of format {FORMAT_VERSION}; delete it and train again")
    description = _described(path, content)
    if (description.class_set, description.classes) != (class_set.name, class_set.classes):
        raise InputError(
            f"{path}: a model of {description.class_set!r} ({len(description.classes)} classes), but the data are of "
            f"{class_set.name!r} ({len(class_set)}), or its classes have changed; train it again"
        )
    if problem := network_problem(description.network):
        raise InputError(f"{path}: {problem.text}")
    network = build_network(description.network, len(class_set))
    try:
        network.load_state_dict(content["weights"])
    except (RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise InputError(
            f"{path}: weights of another network than {description.network!r}: {one_line(error)}"
        ) from None
    return network.eval(), description


def _described(path: Path, content: Mapping[str, Any]) -> Description:
    """The description in a checkpoint; InputError when it lacks a key, has another, or holds more than plain JSON."""
    try:
        json.dumps(content["description"], allow_nan=False)
        return TypeAdapter(Description).validate_python(content["description"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        reason = next(explanations(error)) if isinstance(error, ValidationError) else one_line(repr(error))
        raise InputError(f"{path}: no description of a checkpoint ({reason}); delete it and train again") from None
