"""FDA: as BDL, with a stricter quantile (Yang & Soatto 2020, section 3.2)."""

from pydantic import Field

from esl.labels.measures.max_probability import MaxProbability
from esl.labels.methods.quantile import QuantileMethod, QuantileSettings
from esl.settings import Number


class FdaSettings(QuantileSettings):
    """Maximum probability at or above min(quantile, bound) (Yang & Soatto 2020)."""

    quantile: Number = Field(
        0.66, ge=0, le=1, description="Share of each predicted class that is below the quantile; published: 0.66."
    )
    bound: Number = Field(0.9, ge=0, le=1, description="Probability from which every pixel is kept; published: 0.9.")


class Fda(QuantileMethod):
    """Keeps a pixel where its maximum probability is at least min(quantile, bound) of its predicted class."""

    name = "fda"
    measure = MaxProbability()
    settings_class = FdaSettings
