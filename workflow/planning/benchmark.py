"""One benchmark of the config: the settings classes of every package, composed."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, field_validator

from esl.data.config import SourceData, TargetData
from esl.errors import suggestion
from esl.labels.gate import GateSettings
from esl.labels.methods.base import MethodSettings
from esl.labels.methods.registry import METHODS, settings_class
from esl.labels.settings import InferenceSettings
from esl.models.settings import ComputeConfig, Network, Pretrained
from esl.settings import Settings, named_settings, without_nulls
from esl.training.settings import Seed, TrainingConfig


class Benchmark(Settings):
    """One source, one target, the models to train and how."""

    seed: Seed = 0
    class_set: str = Field(
        "cityscapes19",
        description="The classes that models distinguish: `cityscapes19`; `synthia16`, the 16 that SYNTHIA shares with "
        "it, also scored over `synthia13` (the literature's mIoU*); `synthia13`; `vistas7`, the categories flat, "
        "construction, object, nature, sky, human and vehicle; `camvid11`, those of CamVid; or one of `class_sets`.",
    )
    source: SourceData = Field(description="The labelled data.")
    target: TargetData = Field(description="The data to adapt to.")
    network: Network = "small"
    pretrained: Pretrained = None
    oracle: bool = Field(False, description="Whether to train a model on target labels too, as the upper bound.")
    methods: Annotated[dict[str, Any], BeforeValidator(without_nulls)] = Field(
        {"control": {}, "esl": {}},
        validate_default=True,
        description="The selection methods to run, each with its settings. `null` removes a method that another config "
        "file asks for.",
    )
    gate: GateSettings = Field(GateSettings(), description="Checks every teacher before a round is trained.")
    training: TrainingConfig = Field(description="How models train.")
    inference: InferenceSettings = Field(InferenceSettings(), description="How models are run over images.")
    compute: ComputeConfig = Field(ComputeConfig(), description="What networks run on.")

    @field_validator("methods")
    @classmethod
    def _typed_methods(cls, value: dict[str, Any]) -> dict[str, MethodSettings]:
        """Every method's settings as its own class."""
        return {name: _method_settings(name, entry) for name, entry in value.items()}


def _method_settings(name: str, entry: Any) -> MethodSettings:
    """The settings of a method; every mistake in them is one ValueError."""
    if name not in METHODS:
        raise ValueError(f"unknown method {name!r}{suggestion(name, METHODS)}")
    return entry if isinstance(entry, MethodSettings) else named_settings(name, settings_class(name), entry)
