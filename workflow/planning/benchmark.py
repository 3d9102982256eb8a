"""One benchmark of the config: the settings classes of every package, composed; and the parts of its data."""

from dataclasses import dataclass
from typing import Annotated, Literal, TypeVar

from pydantic import BeforeValidator, Field, SerializeAsAny

from esl.data.config import SourceData, TargetData
from esl.labelling.config import LabellingSettings
from esl.labels.config import InferenceSettings
from esl.labels.gate import GateSettings
from esl.models.config import ComputeConfig
from esl.models.settings import Network, Pretrained
from esl.settings import Settings, named_settings
from esl.training.config import RoundSettings, TrainingConfig
from esl.training.settings import Seed
from esl.training.terms.build import term_settings
from planning.variants import VariantSettings, read_variants


@dataclass(frozen=True)
class Part:
    """A part of a benchmark's data, with an index of its own: its origin, and the labels that it needs."""

    domain: Literal["source", "target"]
    split: str  # the key that names its split
    labels: Literal["required", "optional", "scored"]


PARTS = {
    "source": Part("source", "split", "required"),
    "target_train": Part("target", "train_split", "optional"),
    "target_val": Part("target", "val_split", "scored"),
}


class Benchmark(Settings):
    """One source, one target, the models to train and how."""

    seed: Seed = 0
    class_set: str = Field(
        "cityscapes19",
        description="The classes that models distinguish: `cityscapes19`; `synthia16`, the 16 that SYNTHIA shares with "
        "it, also scored over `synthia13` (the literature's mIoU*), and with pixels of Cityscapes' other 3 as errors "
        "(`+foreign`); `synthia13`; `vistas7`, the categories flat, construction, object, nature, sky, human and "
        "vehicle; `camvid11`, those of CamVid; or one of `class_sets`.",
    )
    source: SourceData = Field(description="The labelled data.")
    target: TargetData = Field(description="The data to adapt to.")
    network: Network = "small"
    pretrained: Pretrained = None
    oracle: bool = Field(
        False,
        description="Whether to train a model on all labels of `target.train_split` too, as the ceiling: "
        "from the model that rounds start from, with source images, as many iterations as all rounds of the longest "
        "variant together.",
    )
    methods: Annotated[dict[str, SerializeAsAny[VariantSettings]], BeforeValidator(read_variants)] = Field(
        {"control": {}, "esl": {}},
        validate_default=True,
        description="The variants to run: selection methods, each with its settings. A variant with a name of its own "
        "names its method: `large: {method: esl, ...}`. `null` removes a variant of another config file.",
    )
    labelling: LabellingSettings = Field(
        LabellingSettings(),
        description="Which target images to label, and how they are handed over; see `target.labels`.",
    )
    gate: GateSettings = Field(GateSettings(), description="Checks every teacher before a round is trained.")
    training: TrainingConfig = Field(description="How models train.")
    inference: InferenceSettings = Field(InferenceSettings(), description="How models are run over images.")
    compute: ComputeConfig = Field(ComputeConfig(), description="What networks run on.")

    def of_rounds(self, name: str) -> "Benchmark":
        """The benchmark as the rounds of the variant ``name`` see it: with their network, sizes and training.

        Raises:
            ValueError: the variant overrides a key that does not exist, or with a wrong value; names the key.
        """
        variant, key = self.methods[name], f"methods.{name}"
        network = variant.network or self.network
        own = {**self.training.round.model_dump(mode="json"), **variant.round}
        terms = dict(self.training.terms)
        for term, values in variant.terms.items():
            try:
                terms[term] = term_settings(term, {**terms.get(term, {}), **values}).model_dump(mode="json")
            except ValueError as error:
                raise ValueError(f"{key}.terms: {error}") from None
        training = {"round": named_settings(f"{key}.round", RoundSettings, own), "terms": terms}
        return self.model_copy(
            update={
                "network": network,
                "pretrained": variant.pretrained or (self.pretrained if network == self.network else None),
                "source": _resized(self.source, variant.source_size),
                "target": _resized(self.target, variant.target_size),
                "training": self.training.model_copy(update=training),
            }
        )


D = TypeVar("D", SourceData, TargetData)


def _resized(data: D, size: str | int | None) -> D:
    return data if size is None else data.model_copy(update={"size": size})
