"""thresholds.json, the choice of one round: its keys, and the reader that every stage after it uses."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from esl.contents import Content, Count, Sha256, Share, read_content


class ClassThreshold(Content):
    """The cut of one predicted class, over the whole target training set."""

    pixels: Count  # predicted as this class
    quantile_value: Share | None  # null: no quantile was taken
    threshold: Share | None  # null: nothing can be kept
    bounded: bool  # whether the bound replaced the quantile value
    kept: Share | None  # of the pixels; null: none are predicted, or only the labels tell


class ThresholdsContent(Content):
    """The content of thresholds.json."""

    method: str
    measure: str | None  # null: nothing is kept, on purpose
    round: Annotated[int, Field(ge=1)]
    parameters: dict[str, Any]  # the method's own settings
    images: Annotated[int, Field(ge=1)]
    teacher_sha256: Sha256
    views: list[str | float] = Field([])
    mean_entropy: Share
    kept: Share | None  # of all pixels; null: pseudo_labels.json has it
    classes: Annotated[dict[str, ClassThreshold], Field(min_length=2)]


def read_thresholds(path: Path) -> dict[str, Any]:
    """The content of a thresholds.json, as it was written.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    return read_content(path, ThresholdsContent, what="the thresholds of a round")
