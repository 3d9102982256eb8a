"""A round on five labelled frames: maps of a teacher in two shards, thresholds, pseudo-labels and their manifest."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.files import read_json, write_json
from esl.labels.fixed_point import TOP
from esl.labels.manifest import PseudoLabels, read_manifest
from esl.labels.shard import Origin, write_shard
from esl.stages import pseudo_label, threshold

CLASSES = CLASS_SETS["cityscapes19"].classes


@dataclass
class MadeRound:
    """The files of a round and, by id, the maps that they were made from."""

    folder: Path
    shards: list[Path]
    index: Path
    maps: dict[str, dict[str, NDArray[Any]]]

    @property
    def thresholds(self) -> dict[str, Any]:
        return read_json(self.folder / "thresholds.json")

    @property
    def manifest(self) -> PseudoLabels:
        return read_manifest(self.folder / "pseudo_labels.json")

    def words(self, *, index: bool = True, manifest: bool = False) -> list[str]:
        """The flags that the stages of a round's figures share."""
        words = ["--maps", *map(str, self.shards)]
        words += ["--index", str(self.index)] if index else []
        words += ["--manifest", str(self.folder / "pseudo_labels.json")] if manifest else []
        return words


MakeRound = Callable[..., MadeRound]


@pytest.fixture
def make_round(tmp_path: Path) -> MakeRound:
    """A function of an index: a round whose teacher is right in 70 % of the pixels, and mostly surer where it is."""

    def make(index: Index, method: str = "esl", name: str = "", classes: tuple[str, ...] = CLASSES) -> MadeRound:
        root = tmp_path / "results"
        folder, shards = root / (name or f"{method}-round1"), [root / f"source/maps/{n}-of-2.h5" for n in (1, 2)]
        rng, maps = np.random.default_rng(0), {}
        for path, part in zip(shards, (index.samples[::2], index.samples[1::2]), strict=True):
            stored = ("entropy", "confidence", "probability")
            origin = Origin(classes, "abc0" * 16, "bilinear")
            with write_shard(path, len(part), origin, stored=stored, counted=stored[:2]) as writer:
                for sample in part:
                    maps[sample.id] = _maps(rng, index, sample, len(classes))
                    writer.append(writer.pack(sample.id, maps[sample.id]))
        write_json(root / "data/target_train.json", index.to_json())
        made = MadeRound(folder, shards, root / "data/target_train.json", maps)
        settings = json.dumps({"method": method})
        paths = ["--maps", *map(str, shards)]
        threshold.main([*paths, "--output", str(folder / "thresholds.json"), "--settings", settings])
        flags = ["--thresholds", str(folder / "thresholds.json"), "--index", str(made.index)]
        pseudo_label.main([*paths, *flags, "--output", str(folder / "pseudo_labels.json")])
        return made

    return make


def _maps(rng: np.random.Generator, index: Index, sample: Any, num_classes: int) -> dict[str, NDArray[Any]]:
    if sample.label is None:
        truth = rng.integers(0, num_classes, sample.size_wh[::-1], dtype=np.uint8)
    else:
        truth = index.read_label(sample, sample.size_wh)
    right = (rng.random(truth.shape) < 0.7) & (truth != IGNORE)
    label = np.where(right, truth, (truth.astype(np.intp) + 1) % num_classes).astype(np.uint8)
    entropy = np.clip(0.5 - 0.3 * right + 0.4 * rng.random(truth.shape), 0, 1)
    confidence = np.clip(0.4 + 0.2 * right + 0.4 * rng.random(truth.shape), 0, 1)
    return {
        "probability": np.zeros((num_classes, 4, 6), np.float16),
        "label": label,
        "entropy": (TOP * entropy).astype(np.uint16),
        "confidence": (TOP * confidence).astype(np.uint16),
    }


@pytest.fixture(scope="session")
def unlabelled_index(small_index: Index) -> Index:
    """The small index as that of a folder of photographs."""
    bare = {"label": None, "label_size_wh": None, "pixels": None, "label_sha256": None}
    return replace(small_index, samples=[replace(sample, **bare) for sample in small_index.samples])
