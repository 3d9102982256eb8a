"""What tests of the training loop share: a tiny network, five random images, and a way to train."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn

from esl.classes import id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream
from esl.models.logits import Logits
from esl.training.feed import Streams
from esl.training.loop import train
from esl.training.resume import Row, Saving
from esl.training.settings import TrainSettings

CLASSES = 19
AUGMENTATION = AugmentationSettings(crop="16x8", min_scale=0.5, colour=0.5, blur=0.5)
SETTINGS: dict[str, Any] = {
    "crop": "16x8",
    "iterations": 8,
    "target_batch": 2,
    "pseudo_label_weight": 0.5,
    "log_every": 3,
}


class Tiny(nn.Module):
    """Two convolutions, batch norm, stride 2; it can be made to die at a given iteration of two forward passes."""

    def __init__(self, dies_at: int | None = None, dropout: float = 0.0) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, CLASSES, 3, 1, 1)
        )
        if dropout:
            self.layers.insert(3, nn.Dropout(dropout))
        self._dies_at, self._passes = dies_at, 0

    def forward(self, x: Tensor) -> Logits:
        if self._dies_at is not None and self._passes == 2 * self._dies_at:
            raise KeyboardInterrupt
        self._passes += 1
        return Logits(self.layers(x))


def _network(dies_at: int | None = None, dropout: float = 0.0) -> Tiny:
    torch.manual_seed(0)
    return Tiny(dies_at, dropout)


@pytest.fixture
def tiny() -> Callable[..., nn.Module]:
    """Makes the network; always with the same weights."""
    return _network


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Five random images with random labels of every Cityscapes id."""
    folder = tmp_path_factory.mktemp("training")
    rng = np.random.default_rng(0)
    files: list[tuple[Path, Path | None]] = []
    for number in range(5):
        paths = folder / f"{number}.png", folder / f"{number}_ids.png"
        Image.fromarray(rng.integers(0, 256, (10, 20, 3), dtype=np.uint8)).save(paths[0])
        Image.fromarray(rng.integers(0, len(CITYSCAPES_LABELS), (10, 20), dtype=np.uint8)).save(paths[1])
        files.append(paths)
    return Pairs(files, id_table(CITYSCAPES_LABELS, CLASS_SETS["cityscapes19"]), None)


@pytest.fixture
def source(pairs: Pairs) -> Stream:
    return Stream(pairs, AUGMENTATION, (0, 0))


@pytest.fixture
def target(pairs: Pairs) -> Stream:
    return Stream(pairs, AUGMENTATION, (0, 1))


@pytest.fixture
def unlabelled(pairs: Pairs) -> Stream:
    return Stream(replace(pairs, files=[(image, None) for image, _ in pairs.files]), AUGMENTATION, (0, 1))


@pytest.fixture
def dark(pairs: Pairs) -> Stream:
    return _Dark(pairs, AUGMENTATION, (0, 1))


class _Dark(Stream):
    """The same labels on black images."""

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        image, label = super().__getitem__(position)
        return torch.zeros_like(image), label


@pytest.fixture
def run(tmp_path: Path, fabric: Fabric, train_settings: Callable[..., TrainSettings]) -> Any:
    """Trains a network with ``SETTINGS``, single keys changed, by default without ever saving a state."""

    def run(
        network: nn.Module,
        source: Stream,
        target: Stream | None,
        *,
        labelled: Stream | None = None,
        every: int = 1000,
        identity: dict[str, Any] | None = None,
        **changed: Any,
    ) -> list[Row]:
        values = SETTINGS | changed
        if target is None:
            del values["target_batch"], values["pseudo_label_weight"]
            values.pop("batch_norm", None)
        saving = Saving(tmp_path / "last.pt", every, identity or {"crop": (16, 8), "seed": 0})
        streams = Streams(source, target, labelled)
        return train(network, streams, train_settings(**values), fabric=fabric, workers=0, saving=saving)

    return run
