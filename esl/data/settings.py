"""Settings of the data: how images and labels are prepared before a network sees them."""

from pydantic import Field

from esl.settings import Crop, Number, Settings


class AugmentationSettings(Settings):
    """Random changes of training images: crop and flip of image and label together, colour and blur of the image."""

    crop: Crop
    flip: Number = Field(0.5, ge=0, le=1, description="Probability of a horizontal flip.")
    min_scale: Number = Field(
        0.3,
        gt=0,
        le=1,
        description="Smallest share of an image's area that a random crop covers. Of an image whose shape is far from "
        "the crop's, the share is of the largest part that has the crop's shape.",
    )
    colour: Number = Field(
        1.0, ge=0, le=1, description="Strength of the random changes of brightness, contrast and saturation; 0 is off."
    )
    blur: Number = Field(0.3, ge=0, le=1, description="Probability of a Gaussian blur.")
