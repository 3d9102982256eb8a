"""ESL: pixels of low entropy (Saporta, Vu, Cord, Perez 2020, section 3.2)."""

from pydantic import Field

from esl.labels.measures.entropy import Entropy
from esl.labels.methods.quantile import QuantileMethod, QuantileSettings
from esl.settings import Number


class EslSettings(QuantileSettings):
    """Entropy at or below max(quantile, bound) (Saporta et al. 2020)."""

    quantile: Number = Field(
        0.5, ge=0, le=1, description="Share of each predicted class that the quantile keeps; published: 0.5."
    )
    bound: Number = Field(0.1, ge=0, le=1, description="Entropy up to which every pixel is kept; published: 0.1.")


class Esl(QuantileMethod):
    """Keeps a pixel where its entropy is at most max(quantile, bound) of its predicted class."""

    name = "esl"
    measure = Entropy()
    settings_class = EslSettings
