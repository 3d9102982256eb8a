"""pseudo_labels.json and predictions.json, the manifests of folders of PNGs, and their readers.

An entry for each image is an object: a million take 3 s to check and 1 GB of memory, and the file itself, as plain
JSON, half of that while it is read.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from esl.contents import Content, Count, Sha256, Share, Shares, read_content


class PredictionFile(Content):
    """The PNG of a prediction."""

    sha256: Sha256


class PseudoLabelFile(PredictionFile):
    """The PNG of a pseudo-label."""

    kept: Share  # of its pixels


Predicted = Annotated[dict[str, PredictionFile], Field(min_length=1)]
"""The PNGs of a folder by the sample's id."""

PseudoLabelled = Annotated[dict[str, PseudoLabelFile], Field(min_length=1)]
"""The PNGs of a folder by the sample's id."""


def _require_a_file_for_each(images: int, files: Mapping[str, PredictionFile]) -> None:
    if images != len(files):
        raise ValueError(f"images: expected as many as files, {len(files)}, but got {images}")


class Predictions(Content):
    """The content of predictions.json."""

    checkpoint_sha256: Sha256
    images: Count
    pixels: dict[str, Count]  # by class
    files: Predicted

    @model_validator(mode="after")
    def _every_image_has_a_file(self) -> Self:
        _require_a_file_for_each(self.images, self.files)
        return self


class ClassQuality(Content):
    """``accuracy`` of the pixels pseudo-labelled as a class, and ``coverage`` of the pixels that are truly of it."""

    accuracy: Share | None
    coverage: Share | None


class RiskCoverage(Content):
    """The ranking of some pixels by a measure; ``esl/labels/risk.py`` has the formulas."""

    augrc: Share | None
    aurc: Share | None
    accuracy: Shares  # of the most confident share of the pixels, by that share


class MeasureRisk(RiskCoverage):
    """The ranking of all pixels by a measure, and of those predicted as each class."""

    classes: dict[str, RiskCoverage]


class LabelQuality(Content):
    """Pseudo-labels against labels, over all images that have one; ``esl.labels.quality.Quality`` counts."""

    labelled_images: Count
    accuracy: Share | None
    coverage: Share | None
    classes: dict[str, ClassQuality]
    accuracy_at_coverage: dict[str, Shares]  # by measure, by coverage
    risk_coverage: dict[str, MeasureRisk]  # by measure


class PseudoLabels(Content):
    """The content of pseudo_labels.json."""

    method: str
    teacher_sha256: Sha256
    images: Count
    kept: Share  # of all pixels
    kept_pixels: dict[str, Count]  # by class
    quality: LabelQuality | None  # null: no image has a label
    files: PseudoLabelled

    @model_validator(mode="after")
    def _every_image_has_a_file(self) -> Self:
        _require_a_file_for_each(self.images, self.files)
        return self


class LabelledShard(Content):
    """The content of labelled/{shard}.json: the PNGs of one job, until the manifest of all shards is written."""

    images: Count
    teacher_sha256: Sha256
    thresholds_sha256: Sha256  # of the bytes of thresholds.json
    pixels: Annotated[list[Count], Field(min_length=256, max_length=256)]  # by trainId; 255 is ignored
    files: PseudoLabelled

    @model_validator(mode="after")
    def _every_image_has_a_file_and_pixels(self) -> Self:
        _require_a_file_for_each(self.images, self.files)
        if not self.images <= sum(self.pixels) < 2**63:
            raise ValueError(f"pixels: expected those of {self.images} images, but got {sum(self.pixels)}")
        return self


def read_labelled_shard(path: Path) -> LabelledShard:
    """Reads a labelled/{shard}.json; errors as of ``read_manifest``."""
    return read_content(path, LabelledShard, what="the pseudo-labels of a shard")


def read_manifest(path: Path) -> PseudoLabels:
    """Reads a pseudo_labels.json.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    return read_content(path, PseudoLabels, what="the manifest of pseudo-labels")


def read_any_manifest(path: Path) -> PseudoLabels | Predictions:
    """Reads a pseudo_labels.json or a predictions.json; errors as of ``read_manifest``."""
    kinds: tuple[type[PseudoLabels | Predictions], ...] = (PseudoLabels, Predictions)
    return read_content(path, *kinds, what="the manifest of pseudo-labels or predictions")
