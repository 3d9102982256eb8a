"""Settings of the stages that draw images to label, write them as a task for CVAT, and read the labels back."""

from typing import Literal, Self

from pydantic import Field, model_validator

from esl.labelling.draws.registry import DRAWS
from esl.models.settings import ComputeSettings, PredictionSettings
from esl.settings import PathText, Resize, Settings

OWN = "own"
"""The value of `target.labels` for the labels that the dataset itself has."""


class DrawSize(Settings):
    """How many target images to label, and which."""

    measure: int = Field(
        20, ge=0, description="Images of `target.val_split` to label for scores, drawn at random over sequences."
    )
    train: int = Field(10, ge=0, description="Images of `target.train_split` to label for training.")
    draw: str = Field(
        "random",
        description="The rule that draws those for training, one of each of as many equal parts of the images in the "
        "order of their ids: `random`; `least_kept`, of which the pseudo-labels of `round` keep the smallest share; "
        "`expected_error`, of which its teacher is least confident. Or `spread`: those that look most different.",
        json_schema_extra={"enum": [*DRAWS]},
    )


class DrawSettings(DrawSize):
    """The settings of the stage `draw`."""

    seed: int = Field(ge=0, description="Seed of the draw.")


class TaskSettings(Settings):
    """How drawn images are handed over."""

    unsure: Literal["empty", "filled"] = Field(
        "filled",
        description="Pixels with a maximum probability below 0.9, in the annotations to correct: `filled` with the "
        "model's predictions, or left `empty`.",
    )


class LabelTaskSettings(TaskSettings, PredictionSettings):
    """The settings of the stage `label_task`."""

    size: Resize
    compute: ComputeSettings = ComputeSettings()


class LabelsSettings(Settings):
    """The settings of the stage `labels`: one file or folder for both sets, or one for each."""

    labels: PathText | None = Field(
        None, description="A file or folder of labels that says what each image is for, `measure` or `train`."
    )
    measure: PathText | None = Field(None, description="A file or folder of labels, all of them for scores.")
    train: PathText | None = Field(None, description="A file or folder of labels, all of them for training.")
    drawn: int = Field(0, ge=0, description="Images that the workflow drew for scores.")
    seed: int = Field(0, ge=0, description="Seed of that draw.")

    @model_validator(mode="after")
    def _one_of_both_forms(self) -> Self:
        if (self.labels is None) == (self.measure is None and self.train is None):
            raise ValueError("expected either labels, or measure or train or both")
        return self
