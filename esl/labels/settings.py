"""Settings of inference and of thresholds; a method's own settings are in its module."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from esl.labels.measures.registry import MEASURES
from esl.models.settings import ComputeSettings, PredictionSettings
from esl.settings import Number, Resize, Settings


def _storable(maps: list[str]) -> list[str]:
    known = [*MEASURES, "probability"]
    if unknown := [name for name in maps if name not in known]:
        raise ValueError(f"unknown map {', '.join(map(repr, unknown))}; expected some of {', '.join(known)}")
    if len(set(maps)) < len(maps):
        raise ValueError("expected each map at most once")
    return maps


def _averaged(views: list[str | float]) -> list[str | float]:
    for view in views:
        if view != "flip" and (isinstance(view, str) or view <= 0 or view == 1):
            raise ValueError(f"expected `flip` or a scale above 0 other than 1, such as 0.75, but got {view!r}")
    if len(set(views)) < len(views):
        raise ValueError("expected each view at most once")
    return views


class MapSettings(PredictionSettings):
    """Settings that decide the maps of an image, apart from its size."""

    maps: Annotated[list[str], AfterValidator(_storable)] = Field(
        ["entropy", "confidence", "probability"],
        description="Maps stored next to `label`: measures (`entropy`; `confidence`, the maximum probability; "
        "`margin`, that minus the second largest) and `probability`, the softmax at the network's stride. `esl` reads "
        "`entropy`, `bdl`, `fda` and `sac` read `confidence`, `cbst` reads `confidence` and `probability`.",
    )
    views: Annotated[list[str | Number], AfterValidator(_averaged)] = Field(
        [],
        description="Views of an image; their probabilities are averaged with the plain image's: `flip`, its mirror "
        "image, and scales such as `0.75`, the image at this share of its width and height. A scale s costs s^2 of a "
        "plain inference, `flip` 1. For maps only: evaluation sees the plain image.",
    )


class InferSettings(MapSettings):
    """The settings of the stage `infer`."""

    size: Resize
    compute: ComputeSettings = ComputeSettings()


class ThresholdSettings(Settings):
    """The settings of the stage `threshold`."""

    method: str = Field(description="The name of the selection method.")
    round: int = Field(1, ge=1, description="The number of the self-training round, which some methods depend on.")
    parameters: dict[str, Any] = Field({}, description="The method's own settings, without `rounds`.")
