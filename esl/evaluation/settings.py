"""Settings of the stages that evaluate a model."""

from pydantic import Field

from esl.models.settings import BatchSettings, ComputeSettings
from esl.settings import Resize


class EvaluateSettings(BatchSettings):
    """The settings of the stages `evaluate`, `best_snapshot` and `predict`."""

    size: Resize
    compute: ComputeSettings = ComputeSettings()
    data: str | None = Field(None, description="The name of the data in results. null: the fingerprint of the index.")
