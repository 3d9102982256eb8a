"""The images that look most different from each other."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from esl.data.index import IndexedSample
from esl.labelling.draws.base import Chosen, Evidence

LOOK_WH = (8, 8)
"""The size in pixels to which an image is reduced, to compare its light, colours and rough layout."""


class Spread:
    """Farthest first over reduced images, from a random one on (Gonzalez 1985; for labels, Sener and Savarese 2018)."""

    def choose(
        self, candidates: Sequence[IndexedSample], count: int, evidence: Evidence, rng: np.random.Generator
    ) -> list[Chosen]:
        """As ``Draw.choose``; the score is the distance to the nearest image drawn before, none for the first."""
        looks = np.stack([_look(evidence, sample) for sample in candidates]) if candidates else np.empty((0, 1))
        distances = np.full(len(candidates), np.inf)
        chosen: list[Chosen] = []
        for number in range(min(count, len(candidates))):
            row = int(distances.argmax()) if number else int(rng.integers(len(candidates)))
            chosen.append((candidates[row], float(distances[row]) if number else None))
            distances = np.minimum(distances, np.linalg.norm(looks - looks[row], axis=1))
        return chosen


def _look(evidence: Evidence, sample: IndexedSample) -> NDArray[np.float64]:
    """The pixels of an image at ``LOOK_WH``, flat, in [0, 1]."""
    return evidence.index.read_image(sample, LOOK_WH).astype(np.float64).ravel() / 255
