"""thresholds.json, the choice of one round: its keys, and the reader that every stage after it uses."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esl.errors import InputError
from esl.files import read_json
from esl.settings import explanations

Share = Annotated[float, Field(ge=0, le=1)]
"""A number in [0, 1]."""


class _Content(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class ClassThreshold(_Content):
    """The cut of one predicted class, over the whole target training set."""

    pixels: Annotated[int, Field(ge=0)]  # predicted as this class
    quantile_value: Share | None  # null: no quantile was taken
    threshold: Share | None  # null: nothing can be kept
    bounded: bool  # whether the bound replaced the quantile value
    kept: Share | None  # of the pixels; null: none are predicted, or only the labels tell


class ThresholdsContent(_Content):
    """The content of thresholds.json."""

    method: str
    measure: str | None  # null: nothing is kept, on purpose
    round: Annotated[int, Field(ge=1)]
    parameters: dict[str, Any]  # the method's own settings
    images: Annotated[int, Field(ge=1)]
    teacher_sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    views: list[str | float] = []
    mean_entropy: Share
    kept: Share | None  # of all pixels; null: pseudo_labels.json has it
    classes: Annotated[dict[str, ClassThreshold], Field(min_length=2)]


def read_thresholds(path: Path) -> dict[str, Any]:
    """The content of a thresholds.json, as it was written.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    content = read_json(path)
    try:
        ThresholdsContent.model_validate(content)
    except ValidationError as error:
        raise InputError(
            f"{path}: not the thresholds of a round ({next(explanations(error))}); delete it and run the workflow again"
        ) from None
    return content
