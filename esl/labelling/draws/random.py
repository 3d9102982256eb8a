"""At random."""

from collections.abc import Sequence

import numpy as np

from esl.data.index import IndexedSample
from esl.labelling.draws.base import Chosen, Evidence, best_of_each_part


class Random:
    """A random image of each part of the set: sequences have their share."""

    def choose(
        self, candidates: Sequence[IndexedSample], count: int, evidence: Evidence, rng: np.random.Generator
    ) -> list[Chosen]:
        """As ``Draw.choose``; no image has a score."""
        drawn = dict(zip((sample.id for sample in candidates), rng.random(len(candidates)), strict=True))
        chosen = best_of_each_part(candidates, count, lambda sample: float(drawn[sample.id]))
        return [(sample, None) for sample, _ in chosen]
