"""Settings of the stages that read data: how a dataset is indexed, and how images are augmented in training."""

from typing import Any, Literal

from pydantic import Field

from esl.classes import ClassSet
from esl.settings import Crop, Number, Settings


class SizeChecks(Settings):
    """The treatment of labels that do not have the size of their images."""

    mismatched_labels: Literal["error", "resize"] = Field(
        "error",
        description="What to do with a label whose size is not that of its image: `error`, or `resize` it (nearest) "
        "and list it in the index; the official GTA5 download has some.",
    )


class LabelChecks(SizeChecks):
    """The treatment of labels that do not fit their images, or are missing."""

    missing_labels: Literal["error", "skip"] = Field(
        "error",
        description="What to do with an image without a label: `error`, or `skip` it and list it in the index.",
    )


class Checks(LabelChecks):
    """The checks of an index."""

    labels: Literal["required", "all_or_none", "optional"] = Field(
        "required", description="Which images must have a label: all of them; all or none; or optional."
    )


class IndexSettings(Checks):
    """How one part of a benchmark's data is read and checked."""

    root: str = Field(min_length=1, description="The folder of the dataset.")
    key: str = Field("root", description="Where the config names the folder, for messages.")
    dataset: str = Field(description="The name of the format.")
    declaration: dict[str, Any] | None = Field(
        None, description="The declaration of the format; null for a format that is a module."
    )
    split: str = Field(description="A split of the dataset, patterns, or a list file.")
    class_set: ClassSet = Field(description="The classes that models distinguish.")


class AugmentationSettings(Settings):
    """Random changes of training images: crop and flip of image and label together, colour and blur of the image."""

    crop: Crop
    flip: Number = Field(0.5, ge=0, le=1, description="Probability of a horizontal flip.")
    min_scale: Number = Field(
        0.3,
        gt=0,
        le=1,
        description="Smallest share of an image's area that a random crop covers. If the image's aspect ratio is far "
        "from the crop's, it is the share of the largest part with the crop's aspect ratio.",
    )
    colour: Number = Field(
        1.0, ge=0, le=1, description="Strength of the random changes of brightness, contrast and saturation; 0 is off."
    )
    blur: Number = Field(0.3, ge=0, le=1, description="Probability of a Gaussian blur.")
