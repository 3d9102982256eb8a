"""Settings of the stages that evaluate a model."""

from pydantic import Field

from esl.models.settings import ComputeSettings, PredictionSettings
from esl.settings import Resize


class EvaluateSettings(PredictionSettings):
    """The settings of the stages `evaluate`, `best_snapshot` and `predict`."""

    size: Resize
    compute: ComputeSettings = ComputeSettings()
    data: str | None = Field(None, description="The name of the data in results. null: the fingerprint of the index.")
