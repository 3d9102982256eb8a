"""Settings of the stages that make pseudo-labels: inference and thresholds; those of a method are in its module."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from esl.labels.measures.registry import MEASURES
from esl.models.settings import BatchSettings, ComputeSettings
from esl.settings import Resize, Settings


def _storable(maps: list[str]) -> list[str]:
    known = [*MEASURES, "probability"]
    if unknown := [name for name in maps if name not in known]:
        raise ValueError(f"unknown map {', '.join(map(repr, unknown))}; expected some of {', '.join(known)}")
    if len(set(maps)) < len(maps):
        raise ValueError("expected each map at most once")
    return maps


class _MapSettings(BatchSettings):
    """The settings that decide the maps of an image, apart from its size."""

    maps: Annotated[list[str], AfterValidator(_storable)] = Field(
        ["entropy", "confidence", "probability"],
        description="Maps stored next to `label`: measures (`entropy`, or `confidence`, the maximum probability) and "
        "`probability`, the softmax at the network's stride. `esl` reads `entropy`, `bdl` and `fda` read `confidence`, "
        "`cbst` reads `confidence` and `probability`.",
    )


class InferenceSettings(_MapSettings):
    """`inference`: how models are run over images."""

    shards: int = Field(2, ge=1, description="Parts of the target training set, each a job and a file of its own.")


class InferSettings(_MapSettings):
    """The settings of the stage `infer`."""

    size: Resize
    compute: ComputeSettings = ComputeSettings()


class ThresholdSettings(Settings):
    """The settings of the stage `threshold`."""

    method: str = Field(description="The name of the selection method.")
    round: int = Field(1, ge=1, description="The number of the self-training round, which some methods depend on.")
    parameters: dict[str, Any] = Field({}, description="The method's own settings, without `rounds`.")
