"""thresholds.json, the choice of one round, and its reader."""

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


class Thresholds(Content):
    """The content of thresholds.json."""

    method: str
    measure: str | None  # null: nothing is kept, on purpose
    round: Annotated[int, Field(ge=1)]
    parameters: dict[str, Any]  # the method's own settings
    images: Annotated[int, Field(ge=1)]
    teacher_sha256: Sha256
    views: list[str | float] = Field([])  # averaged with the plain view
    mean_entropy: Share
    kept: Share | None  # of all pixels; null: pseudo_labels.json has it
    classes: Annotated[dict[str, ClassThreshold], Field(min_length=2)]

    @property
    def values(self) -> list[float | None]:
        """The threshold of every class, by trainId."""
        return [entry.threshold for entry in self.classes.values()]


def read_thresholds(path: Path) -> Thresholds:
    """Reads a thresholds.json.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    return read_content(path, Thresholds, what="the thresholds of a round")
