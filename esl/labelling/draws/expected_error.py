"""The images on which a round's teacher expects most errors."""

from collections.abc import Sequence

import numpy as np

from esl.data.index import IndexedSample
from esl.labelling.draws.base import Chosen, Evidence, best_of_each_part
from esl.labels.fixed_point import TOP
from esl.labels.shard import open_shard

CONFIDENCE = "confidence"
"""The map of the maximum probability."""


class ExpectedError:
    """The image of each part of the set with the lowest mean maximum probability by the round's teacher."""

    def choose(
        self, candidates: Sequence[IndexedSample], count: int, evidence: Evidence, rng: np.random.Generator
    ) -> list[Chosen]:
        """As ``Draw.choose``; the score is 1 minus the mean maximum probability, in [0, 1]."""
        errors: dict[str, float] = {}
        for path in evidence.maps:
            with open_shard(path) as shard:
                for row, id_ in enumerate(shard.ids):
                    codes = shard.maps(row, {CONFIDENCE})[CONFIDENCE]
                    errors[id_] = 1 - float(codes.mean(dtype=np.float64)) / TOP
        return best_of_each_part(candidates, count, lambda sample: errors[sample.id])
