"""Settings of the stages that draw images to label, and write them as a task for CVAT."""

from typing import Literal

from pydantic import Field

from esl.settings import Settings


class DrawSettings(Settings):
    """Which target images to label."""

    measure: int = Field(
        20, ge=0, description="Images of `target.val_split` to label for scores, drawn at random over sequences."
    )
    train: int = Field(10, ge=0, description="Images of `target.train_split` to label for training.")
    draw: str = Field("random", description="The rule that draws those for training.")


class TaskSettings(Settings):
    """How drawn images are handed over."""

    unsure: Literal["empty", "filled"] = Field(
        "filled",
        description="Pixels that the model is not sure of, in the annotations to correct: `filled` with its "
        "predictions, or left `empty`.",
    )
