"""The opening of every stage that runs a trained model: its flags, and the files and devices that they name."""

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, Self, TypeVar

from torch import nn

from esl.data.index import Index, read_index
from esl.models.checkpoint import Description, load_checkpoint
from esl.models.device import Device
from esl.models.settings import ComputeSettings
from esl.settings import Settings
from esl.stages.command import add_paths, add_settings
from esl.stages.device import add_threads, make_device


class ModelSettings(Protocol):
    """Settings of a stage that runs a model."""

    @property
    def compute(self) -> ComputeSettings:
        """The device and the precision of the network."""

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The settings in ``--settings``."""


S = TypeVar("S", bound=ModelSettings)


@dataclass(frozen=True)
class OpenModel(Generic[S]):
    """A trained model, the images that it is to see, and the device that it runs on."""

    settings: S
    index: Index
    network: nn.Module
    description: Description
    device: Device
    place: str
    """The device and the threads, for a log."""


def model_parser(doc: str | None, settings: type[Settings]) -> argparse.ArgumentParser:
    """The parser of a stage that runs a trained model over the images of an index; ``doc`` is the stage's docstring."""
    parser = argparse.ArgumentParser(description=doc)
    add_paths(parser, "--checkpoint", "--index", "--output")
    add_settings(parser, settings)
    add_threads(parser)
    return parser


def add_labels(parser: argparse.ArgumentParser) -> None:
    """The flag of labels that came back, of a stage that scores a model."""
    parser.add_argument("--labels", type=Path, help="labels.json: its set `measure`, if any, in place of own labels")


def open_model(flags: argparse.Namespace, settings: type[S]) -> OpenModel[S]:
    """Reads the files that the flags of ``model_parser`` name.

    Raises:
        InputError: a setting or a file is wrong, or the device is not there.
    """
    own = settings.from_json(flags.settings)
    index = read_index(flags.index)
    network, description = load_checkpoint(flags.checkpoint, index.class_set)
    device = make_device(own.compute, threads=flags.threads)
    return OpenModel(own, index, network, description, device, f"on {device.device}, {flags.threads} threads")
