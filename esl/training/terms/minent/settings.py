"""Settings of MinEnt."""

from esl.training.terms.settings import OutputWeights


class TermSettings(OutputWeights):
    """`training.terms.minent`."""
