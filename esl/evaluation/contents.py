"""miou.json of a model and of a benchmark, and best_snapshot.json: their keys, and their readers."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from esl.contents import Content, Count, Sha256, Share, Shares, read_content


class ModelScores(Content):
    """The content of a model's miou.json."""

    miou: Annotated[Shares, Field(min_length=1)]  # by class set
    iou: Annotated[Shares, Field(min_length=2)]  # by class
    pixel_accuracy: Share | None
    confusion: list[list[Count]]  # pixels; rows truth
    foreign: dict[str, list[Count]] = Field({})  # pixels of labels of no class, by what was predicted there
    label_resolution: list[str]
    images: Count
    unlabelled: Count
    data: str
    labels_sha256: Sha256
    settings: dict[str, Any]
    versions: dict[str, str]
    checkpoint_sha256: Sha256

    @model_validator(mode="after")
    def _confusion_is_of_the_classes(self) -> Self:
        if {len(self.iou)} != {len(self.confusion), *map(len, self.confusion)}:
            raise ValueError(f"confusion: expected {len(self.iou)} rows and columns, one for each class of iou")
        if {len(self.iou)} != {len(self.iou), *map(len, self.foreign.values())}:
            raise ValueError(f"foreign: expected {len(self.iou)} columns, one for each class of iou")
        return self


class Candidate(Content):
    """A snapshot, scored."""

    iteration: Count
    miou: Share | None


class BestSnapshot(ModelScores):
    """The content of best_snapshot.json: the scores of one of a training's snapshots."""

    chosen_by: str
    iteration: Count
    candidates: Annotated[list[Candidate], Field(min_length=1)]


class BenchmarkScores(Content):
    """The content of a benchmark's miou.json."""

    benchmark: str
    models: Annotated[dict[str, ModelScores], Field(min_length=1)]
    best_snapshots: dict[str, BestSnapshot] = Field({})

    @model_validator(mode="after")
    def _models_are_of_the_same_classes(self) -> Self:
        first, *others = self.models.values()
        for scores in (*others, *self.best_snapshots.values()):
            if list(scores.iou) != list(first.iou):
                raise ValueError("models: expected the same classes of iou for all, but they differ")
        if unlisted := sorted(set(self.best_snapshots) - set(self.models)):
            raise ValueError(f"best_snapshots: {unlisted[0]}: not among models")
        return self


def read_scores(path: Path) -> dict[str, Any]:
    """The content of a model's miou.json or best_snapshot.json, as it was written.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    return read_content(path, ModelScores, BestSnapshot, what="the scores of a model")


def read_table(path: Path) -> dict[str, Any]:
    """The content of a benchmark's miou.json; errors as of ``read_scores``."""
    return read_content(path, BenchmarkScores, what="the scores of a benchmark")
