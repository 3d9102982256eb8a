"""Settings of the miniature."""

from typing import Literal, get_args

from pydantic import Field

from esl.settings import Number, Settings

Layout = Literal["gta5", "synthia", "varied", "cityscapes", "mapillary"]
"""A dataset of the miniature: the first three are sources (`varied` has the layout of GTA5), the others targets."""

LAYOUTS: tuple[str, ...] = get_args(Layout)

SMALLEST = 32
"""The least width and height of an image, in pixels."""


class MiniatureSettings(Settings):
    """The size and number of the miniature's images, and the visual distance of its two domains."""

    width: int = Field(256, ge=SMALLEST, description="Width of the images in pixels.")
    height: int = Field(
        128,
        ge=SMALLEST,
        description="Height of the images in pixels; `mapillary` has images of several shapes, each about as large.",
    )
    source: int = Field(400, ge=1, description="Number of source images.")
    target_train: int = Field(600, ge=1, description="Number of target images to adapt to.")
    target_val: int = Field(300, ge=1, description="Number of target images to evaluate on.")
    shift: Number = Field(
        0.8,
        ge=0,
        allow_inf_nan=False,
        description="Visual distance of the target from the source; 0: none. It changes no label and no source image.",
    )
