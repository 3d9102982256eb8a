"""The parts of a benchmark's data, each with an index of its own."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Part:
    """Where a part comes from, and which labels it needs."""

    domain: Literal["source", "target"]
    split: str  # the key that names its split
    labels: Literal["required", "optional", "all_or_none"]


PARTS = {
    "source": Part("source", "split", "required"),
    "target_train": Part("target", "train_split", "optional"),
    "target_val": Part("target", "val_split", "all_or_none"),
}
