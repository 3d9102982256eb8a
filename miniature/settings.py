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
    """The size of the miniature's images, how many there are, and how far apart its two domains look."""

    width: int = Field(256, ge=SMALLEST, description="Width of the images in pixels.")
    height: int = Field(
        128,
        ge=SMALLEST,
        description="Height of the images in pixels. Those of `mapillary` have several shapes of about as many pixels.",
    )
    source: int = Field(400, ge=1, description="Number of source images.")
    target_train: int = Field(600, ge=1, description="Number of target images to adapt to.")
    target_val: int = Field(300, ge=1, description="Number of target images to evaluate on.")
    shift: Number = Field(
        0.8,
        ge=0,
        allow_inf_nan=False,
        description="How much the look of the target differs from that of the source; 0: not at all. It changes no "
        "label and no source image.",
    )
