"""The JSON files of evaluation: scores of models and benchmarks, and comparisons; with the readers that stages use."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from esl.contents import Content, Count, Sha256, Share, Shares, read_content
from esl.labels.manifest import MeasureRisk


class ConfusionScores(Content):
    """The scores that follow from a confusion matrix."""

    miou: Annotated[Shares, Field(min_length=1)]  # by class set
    iou: Annotated[Shares, Field(min_length=2)]  # by class
    pixel_accuracy: Share | None
    confusion: list[list[Count]]  # pixels; rows truth
    foreign: dict[str, list[Count]] = Field({})  # pixels of labels of no class, by what was predicted there

    @model_validator(mode="after")
    def _confusion_is_of_the_classes(self) -> Self:
        if {len(self.iou)} != {len(self.confusion), *map(len, self.confusion)}:
            raise ValueError(f"confusion: expected {len(self.iou)} rows and columns, one for each class of iou")
        if {len(self.iou)} != {len(self.iou), *map(len, self.foreign.values())}:
            raise ValueError(f"foreign: expected {len(self.iou)} columns, one for each class of iou")
        return self


class ModelScores(ConfusionScores):
    """The content of a model's miou.json."""

    label_resolution: list[str]
    images: Count
    unlabelled: Count
    data: str
    labels_sha256: Sha256
    settings: dict[str, Any]
    versions: dict[str, str]
    checkpoint_sha256: Sha256


class Candidate(Content):
    """A snapshot, scored."""

    iteration: Count
    miou: Share | None


class SnapshotChoice(Content):
    """The choice of one of a training's snapshots: these keys precede its scores."""

    chosen_by: str
    iteration: Count
    candidates: Annotated[list[Candidate], Field(min_length=1)]


class BestSnapshot(ModelScores, SnapshotChoice):
    """The content of best_snapshot.json: the scores of one of a training's snapshots."""


Ends = Annotated[list[float], Field(min_length=2, max_length=2)]
"""The lower and the upper end of an interval of 95 %."""


class Difference(Content):
    """The mIoU of a model minus that of another one, over the same images and over the classes in their labels."""

    model: str
    against: str
    set: str  # of classes
    value: float
    low: float
    high: float
    images_to_decide: Count | None  # about how many would; null: it is decided, or no number of images would

    @property
    def is_decided(self) -> bool:
        """Whether the interval leaves out 0."""
        return not self.low <= 0 <= self.high


class Intervals(Content):
    """How far scores would vary with other images of the same kind."""

    over: str  # what was left out one by one: "300 images"
    miou: dict[str, dict[str, Ends | None]]  # by model, by class set
    differences: list[Difference]


class BenchmarkScores(Content):
    """The content of a benchmark's miou.json."""

    benchmark: str
    models: Annotated[dict[str, ModelScores], Field(min_length=1)]
    best_snapshots: dict[str, BestSnapshot] = Field({})
    controls: dict[str, str] = Field({})  # round -> the same training without pseudo-labels
    intervals: Intervals | None = None  # there are none for fewer than two images

    @model_validator(mode="after")
    def _models_are_of_the_same_classes(self) -> Self:
        first, *others = self.models.values()
        for scores in (*others, *self.best_snapshots.values()):
            if list(scores.iou) != list(first.iou):
                raise ValueError("models: expected the same classes of iou for all, but they differ")
        if unlisted := sorted({*self.controls, *self.controls.values()} - set(self.models)):
            raise ValueError(f"controls: {unlisted[0]}: not among models")
        if unlisted := sorted(set(self.best_snapshots) - set(self.models)):
            raise ValueError(f"best_snapshots: {unlisted[0]}: not among models")
        if self.intervals is not None and {*self.intervals.miou} != {*self.models}:
            raise ValueError("intervals: expected one for each of models")
        return self


class ComparedMeasure(MeasureRisk):
    """The ranking by a measure, with the accuracy of the more confident half of each predicted class."""

    accuracy_of_surer_halves: Share | None


class ComparedMaps(Content):
    """A set of maps in confidence.json."""

    teacher_sha256: Sha256
    views: list[str | float]  # averaged with the plain view
    accuracy: Share | None  # of all predictions
    measures: dict[str, ComparedMeasure]


class ConfidenceComparison(Content):
    """The content of confidence.json."""

    labelled_images: Count
    maps: dict[str, ComparedMaps]  # by folder


BySeed = dict[str, float | None]
"""A number at every seed; null where nothing can be counted."""


class RoundQuality(Content):
    """The pseudo-labels of a round at every seed."""

    coverage: Shares  # by seed
    accuracy: Shares  # by seed
    accuracy_at_coverage: dict[str, dict[str, Shares]]  # by seed, by measure, by coverage


class SeedComparison(Content):
    """The content of reproduce.json; the first three of its tables are by model, the last is by round."""

    seeds: list[int]
    miou: dict[str, BySeed]
    controls: dict[str, str]  # round -> the same training without pseudo-labels
    gain_over_control: dict[str, BySeed]
    gap_closed: dict[str, BySeed]  # the share of the way from source only (0) to the oracle (1)
    pseudo_labels: dict[str, RoundQuality]


def read_scores(path: Path) -> ModelScores:
    """Reads a model's miou.json or best_snapshot.json.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    return read_content(path, ModelScores, BestSnapshot, what="the scores of a model")


def read_best_snapshot(path: Path) -> BestSnapshot:
    """Reads a best_snapshot.json; errors as of ``read_scores``."""
    return read_content(path, BestSnapshot, what="the scores of a model")


def read_table(path: Path) -> BenchmarkScores:
    """Reads a benchmark's miou.json; errors as of ``read_scores``."""
    return read_content(path, BenchmarkScores, what="the scores of a benchmark")
