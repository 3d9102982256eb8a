"""Set-up and fixtures of many tests: one thread, repeatable hypothesis, datasets made on the spot."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import settings
from lightning_fabric import Fabric
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.settings import AugmentationSettings, Checks
from esl.models.logits import Logits
from esl.models.settings import ComputeSettings
from esl.settings import Settings
from esl.training.settings import OptimizationSettings, ScheduleSettings, TargetSettings, TrainSettings

TrainSettingsOf = Callable[..., TrainSettings]

settings.register_profile("repeatable", deadline=None, derandomize=True, max_examples=60)
settings.load_profile("repeatable")
torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts with the longest test: as the last one it would keep a single process busy, and the others idle."""
    items.sort(key=lambda item: "records" not in getattr(item, "fixturenames", ()))


REAL = Path(__file__).resolve().parents[2] / "shared" / "real"

Frame = tuple[NDArray[np.uint8], NDArray[np.uint8] | None]  # image (H, W, 3) and raw label ids (H, W)
WriteFrames = Callable[[Path, str, dict[str, Frame]], Path]


def _write_cityscapes(root: Path, split: str, frames: dict[str, Frame]) -> Path:
    """``frames`` by id in the official layout of Cityscapes under ``root``, which is returned."""
    for id_, (image, ids) in frames.items():
        city = id_.partition("_")[0]
        for kind, suffix, content in (("leftImg8bit", "leftImg8bit", image), ("gtFine", "gtFine_labelIds", ids)):
            if content is not None:
                path = root / kind / split / city / f"{id_}_{suffix}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(content).save(path)
    return root


@pytest.fixture(scope="session")
def write_cityscapes() -> WriteFrames:
    return _write_cityscapes


@pytest.fixture(scope="session")
def small_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """The index of five random frames of 24x16 with labels of every Cityscapes id; not to be written to."""
    rng = np.random.default_rng(0)
    frames: dict[str, Frame] = {
        f"aachen_000000_{number:06d}": (
            rng.integers(0, 256, (16, 24, 3), dtype=np.uint8),
            rng.integers(0, len(CITYSCAPES_LABELS), (16, 24), dtype=np.uint8),
        )
        for number in range(5)
    }
    root = _write_cityscapes(tmp_path_factory.mktemp("cityscapes"), "train", frames)
    return inspect(
        "cityscapes", format_named("cityscapes"), root, "train", CLASS_SETS["cityscapes19"], Checks()
    ).sound_index()


SHORT_TRAINING = {
    "seed": 0,
    "network": "small",
    "source_size": "own",
    "target_size": "own",
    "crop": "24x16",
    "min_scale": 0.5,
    "colour": 0.5,
    "blur": 0.5,
    "iterations": 5,
    "learning_rate": 0.01,
    "source_batch": 2,
    "log_every": 2,
    "accelerator": "cpu",
    "precision": "32-true",
}


def _train_settings(**changed: Any) -> TrainSettings:
    """The settings of ``SHORT_TRAINING`` with single keys changed, whichever part they belong to.

    With a ``target_batch`` it trains on a target, too.
    """
    values = SHORT_TRAINING | changed

    def part(cls: type[Settings]) -> Settings:
        return cls.model_validate({name: values.pop(name) for name in cls.model_fields if name in values})

    parts = {
        "augmentation": part(AugmentationSettings),
        "optimization": part(OptimizationSettings),
        "schedule": part(ScheduleSettings),
        "compute": part(ComputeSettings),
        "target": part(TargetSettings) if "target_batch" in values else None,
    }
    if parts["target"] is None:
        del values["target_size"]
    return TrainSettings.model_validate(parts | values)


@pytest.fixture(scope="session")
def train_settings() -> TrainSettingsOf:
    return _train_settings


@pytest.fixture(scope="session")
def fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)


@pytest.fixture(scope="session")
def real_cityscapes() -> Path:
    """The root of one real validation frame; it is outside the repository, because its licence forbids a copy."""
    return _real("cityscapes")


@pytest.fixture(scope="session")
def real_camvid() -> Path:
    """The root of 378 of CamVid's 701 frames in SegNet's layout, without Seq05VD and part of 0016E5."""
    return _real("camvid")


def _real(name: str) -> Path:
    if not (REAL / name).is_dir():
        pytest.skip(f"no real data at {REAL / name}")
    return REAL / name


@pytest.fixture(scope="session")
def mixed_index(tmp_path_factory: pytest.TempPathFactory, write_cityscapes: WriteFrames) -> Index:
    """Images of two sizes in turn; one label is half as large as its image."""
    rng = np.random.default_rng(1)
    frames = {}
    for number, (width, height) in enumerate([(24, 16), (24, 16), (32, 8), (24, 16), (24, 16)]):
        ids = rng.integers(0, 34, (height, width), dtype=np.uint8)
        image = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
        frames[f"ulm_{number:06d}_000019"] = (image, ids[::2, ::2] if number == 3 else ids)
    root = write_cityscapes(tmp_path_factory.mktemp("mixed"), "val", frames)
    checks = Checks(mismatched_labels="resize")
    return inspect(
        "cityscapes", format_named("cityscapes"), root, "val", CLASS_SETS["cityscapes19"], checks
    ).sound_index()


class Pooling(nn.Module):
    """A network at stride 4 that is easy to compute by hand: fixed weights on the mean colour of each 4x4 patch."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.register_buffer("weights", 30 * torch.randn(19, 3, generator=generator))

    def forward(self, x: Tensor) -> Logits:
        return Logits(torch.einsum("ck,nkhw->nchw", self.weights, nn.functional.avg_pool2d(x, 4)))

    def probability_by_hand(self, image: NDArray[np.uint8], size_hw: tuple[int, int] | None) -> NDArray[np.float64]:
        """Softmax (C, h, w) in float64; bilinear with corners aligned, (C, H, W), where a size is given."""
        height, width = image.shape[:2]
        colour = (image / 255).reshape(height // 4, 4, width // 4, 4, 3).mean(axis=(1, 3))
        logits = np.einsum("ck,hwk->chw", self.get_buffer("weights").double().numpy(), colour)
        exponential = np.exp(logits - logits.max(axis=0))
        probability: NDArray[np.float64] = exponential / exponential.sum(axis=0)
        if size_hw is None:
            return probability
        weights = [
            np.maximum(0, 1 - np.abs(np.linspace(0, old - 1, new)[:, None] - np.arange(old)))
            for old, new in zip(probability.shape[1:], size_hw, strict=True)
        ]
        return np.einsum("Hh,Ww,chw->cHW", *weights, probability)


@pytest.fixture(scope="session")
def pooling() -> Pooling:
    return Pooling()
