"""The images of which a round kept least."""

from collections.abc import Sequence

import numpy as np

from esl.data.index import IndexedSample
from esl.labelling.draws.base import Chosen, Evidence, best_of_each_part
from esl.labels.manifest import read_manifest


class LeastKept:
    """The image of each part of the set of which the round's pseudo-labels keep the smallest share of pixels."""

    def choose(
        self, candidates: Sequence[IndexedSample], count: int, evidence: Evidence, rng: np.random.Generator
    ) -> list[Chosen]:
        """As ``Draw.choose``; the score is the share of pixels that were not kept, in [0, 1]."""
        assert evidence.pseudo_labels is not None
        files = read_manifest(evidence.pseudo_labels).files
        return best_of_each_part(candidates, count, lambda sample: 1 - files[sample.id].kept)
