"""The measurements of the paper's network: sizes, repetitions, and the clock."""

import math
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.models.networks.deeplabv2 import DeepLabV2
from miniature.dataset import render_miniature
from miniature.settings import MiniatureSettings

CLASSES = CLASS_SETS["cityscapes19"]

NUM_IMAGES = 8
"""The number of rendered images, which are used in turn."""

WARM = 2
"""Iterations before the clock starts."""


@dataclass(frozen=True)
class Case:
    """The size of the network, of the images and of the measurement."""

    blocks: tuple[int, int, int, int]
    size_wh: tuple[int, int]  # of the images of both domains
    iterations: int  # of training; twice as many images are inferred
    batch: int  # images at a time of this project's inference on a GPU
    workers: int
    threads: int

    def network(self) -> DeepLabV2:
        """DeepLab v2, always with the same weights."""
        torch.manual_seed(0)
        return DeepLabV2(len(CLASSES), blocks=self.blocks)

    def index(self, folder: Path) -> Index:
        """Rendered images with labels in ``folder``."""
        width, height = self.size_wh
        settings = MiniatureSettings(width=width, height=height, source=1, target_train=NUM_IMAGES, target_val=1)
        root = folder / "cityscapes"
        render_miniature(root, "cityscapes", settings, seed=0, workers=1)
        return inspect("cityscapes", format_named("cityscapes"), root, "train", CLASSES, Checks()).sound_index()


class Clock:
    """Measures time from the end of the warm-up, and peak memory from the beginning."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._begin = math.nan

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize()
        return time.perf_counter()

    def start(self) -> None:
        self._begin = self._now()

    def stop(self) -> tuple[float, float]:
        """Seconds, and peak memory in MB: of the GPU, or of this process."""
        seconds = self._now() - self._begin
        if self.device.type == "cuda":
            return seconds, torch.cuda.max_memory_allocated() / 2**20
        return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
