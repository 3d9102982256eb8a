"""Settings of stages with data as input: the checks of an index, and the augmentation of training images."""

from typing import Any, Literal

from pydantic import Field

from esl.classes import ClassSet
from esl.settings import Crop, Number, Settings


class SizeChecks(Settings):
    """The treatment of labels with another size than their images."""

    mismatched_labels: Literal["error", "resize"] = Field(
        "error",
        description="Labels with another size than their image: `error`, or `resize` them (nearest) and list them in "
        "the index; the official GTA5 download has some.",
    )


class LabelChecks(SizeChecks):
    """The treatment of labels with a wrong size, and of missing ones."""

    missing_labels: Literal["error", "skip"] = Field(
        "error",
        description="Images without a label: `error`, or `skip` them and list them in the index.",
    )


class Checks(LabelChecks):
    """The checks of an index."""

    labels: Literal["required", "scored", "optional"] = Field(
        "required",
        description="Images with a label: all of them; any number, which are scored; or any number.",
    )


class IndexSettings(Checks):
    """The input and the checks of one index, for one part of a benchmark's data."""

    root: str = Field(min_length=1, description="The folder of the dataset.")
    key: str = Field("root", description="The config key of the folder, for messages.")
    dataset: str = Field(description="The name of the format.")
    declaration: dict[str, Any] | None = Field(
        None, description="The declaration of the format; null for a format that is a module."
    )
    split: str = Field(description="A split of the dataset, patterns, or a list file.")
    class_set: ClassSet = Field(description="The classes of the models.")


class AugmentationSettings(Settings):
    """Random changes of training images: crop and flip of image and label together, colour and blur of the image."""

    crop: Crop
    flip: Number = Field(0.5, ge=0, le=1, description="Probability of a horizontal flip.")
    min_scale: Number = Field(
        0.3,
        gt=0,
        le=1,
        description="Smallest area of a random crop, as a share of the image's area; if the image's aspect ratio is "
        "far from the crop's, as a share of its largest part with the crop's aspect ratio.",
    )
    colour: Number = Field(
        1.0, ge=0, le=1, description="Strength of the random changes of brightness, contrast and saturation; 0 is off."
    )
    blur: Number = Field(0.3, ge=0, le=1, description="Probability of a Gaussian blur.")
