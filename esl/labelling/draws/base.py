"""The contract of a rule that draws images to label, and the parts of a set that most rules draw from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from esl.data.index import Index, IndexedSample

Chosen = tuple[IndexedSample, float | None]
"""An image, and its score by the rule; ``None`` where the rule has none."""


@dataclass(frozen=True)
class Evidence:
    """The input of a rule: the images, and files of a round; ``registry.READS`` says which rule reads which."""

    index: Index
    pseudo_labels: Path | None = None
    """pseudo_labels.json of the round."""
    maps: Sequence[Path] = ()
    """The shards of the maps of the round's teacher."""


class Draw(Protocol):
    """A rule that draws images to label; ``random.py`` is the example to copy."""

    def choose(
        self, candidates: Sequence[IndexedSample], count: int, evidence: Evidence, rng: np.random.Generator
    ) -> list[Chosen]:
        """``count`` of the candidates, or all where there are fewer, in the order in which to label them."""


def best_of_each_part(
    candidates: Sequence[IndexedSample], count: int, score: Callable[[IndexedSample], float]
) -> list[Chosen]:
    """The candidate with the highest score of each of ``count`` equal parts of them, the highest scores first.

    The parts are consecutive in the order of ids, so that each sequence has its share, and neighbouring frames, which
    show the same, are rarely drawn together.
    """
    ordered = sorted(candidates, key=lambda sample: sample.id)
    parts = np.array_split(np.arange(len(ordered)), min(count, len(ordered)) or 1)
    best = [max(((score(ordered[row]), row) for row in part), default=None) for part in parts]
    return [(ordered[row], value) for value, row in sorted(filter(None, best), reverse=True)]
