"""BDL: pixels of high maximum probability (Li, Yuan, Vasconcelos 2019), the baseline that ESL argues against."""

from pydantic import Field

from esl.labels.measures.max_probability import MaxProbability
from esl.labels.methods.quantile import QuantileMethod, QuantileSettings
from esl.settings import Number


class BdlSettings(QuantileSettings):
    """Maximum probability at or above min(quantile, bound) (Li et al. 2019)."""

    quantile: Number = Field(
        0.5, ge=0, le=1, description="Share of each predicted class that is below the quantile; published: 0.5."
    )
    bound: Number = Field(0.9, ge=0, le=1, description="Probability from which every pixel is kept; published: 0.9.")


class Bdl(QuantileMethod):
    """Keeps a pixel where its maximum probability is at least min(quantile, bound) of its predicted class."""

    name = "bdl"
    measure = MaxProbability()
    settings_class = BdlSettings
