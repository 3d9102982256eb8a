"""The config's `labelling` section, and `target.labels`: read while jobs are planned, by no stage."""

from pydantic import Field

from esl.labelling.settings import DrawSize, TaskSettings


class LabellingSettings(TaskSettings, DrawSize):
    """`labelling`: which target images to label, and how they are handed over."""

    round: str | None = Field(
        None,
        description="The round, such as `esl-round2`, that rules of `draw` read, and whose predictions are the "
        "annotations to correct. null: the last round without target labels that keeps pseudo-labels.",
    )
