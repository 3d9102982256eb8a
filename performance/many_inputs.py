"""The inputs of ``performance.many``: small random images, their index, and a random model."""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.files import write_json
from esl.models.build import build_network
from esl.models.checkpoint import Description, save_checkpoint

SIZE_WH = (64, 32)
"""Width and height of an image."""


def write_inputs(folder: Path, images: int) -> None:
    """``folder/index.json`` and ``folder/model.pt``."""
    rng = np.random.default_rng(0)
    town = folder / "root/leftImg8bit/train/town"
    town.mkdir(parents=True)
    for number in range(images):
        coarse = Image.fromarray(rng.integers(0, 256, (4, 8, 3), dtype=np.uint8))
        coarse.resize(SIZE_WH).save(town / f"town_{number:06d}_000019_leftImg8bit.png")
    format_, classes = format_named("cityscapes"), CLASS_SETS["cityscapes19"]
    checks = Checks(labels="optional")
    index = inspect("cityscapes", format_, folder / "root", "train", classes, checks, workers=2).sound_index()
    write_json(folder / "index.json", index.to_json())
    torch.manual_seed(0)
    description = Description.of("small", classes, {}, {})
    save_checkpoint(folder / "model.pt", build_network("small", len(classes)).state_dict(), description)


if __name__ == "__main__":
    write_inputs(Path(sys.argv[1]), int(sys.argv[2]))
