"""Settings of MinEnt."""

from esl.training.terms.settings import OutputWeights


class MinEntSettings(OutputWeights):
    """`training.terms.minent`."""
