"""pseudo_labels.json and predictions.json, the manifests of folders of PNGs: their keys, and their readers."""

from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from esl.contents import Content, Count, Sha256, Share, Shares, read_content


class PredictionFile(Content):
    """The PNG of an image."""

    sha256: Sha256


class PseudoLabelFile(PredictionFile):
    """The PNG of an image."""

    kept: Share  # of its pixels


class _Manifest(Content):
    images: Count
    files: Annotated[dict[str, PredictionFile], Field(min_length=1)]  # by the sample's id

    @model_validator(mode="after")
    def _every_image_has_a_file(self) -> Self:
        if self.images != len(self.files):
            raise ValueError(f"images: expected as many as files, {len(self.files)}, but got {self.images}")
        return self


class Predictions(_Manifest):
    """The content of predictions.json."""

    checkpoint_sha256: Sha256
    pixels: dict[str, Count]  # by class


class ClassQuality(Content):
    """Of the pixels labelled as, or truly of, a class."""

    accuracy: Share | None
    coverage: Share | None


class LabelQuality(ClassQuality):
    """What ``esl.labels.quality.Quality`` found."""

    labelled_images: Count
    classes: dict[str, ClassQuality]
    accuracy_at_coverage: dict[str, Shares]  # by measure, by coverage
    risk_coverage: dict[str, Any]  # by measure; for people


class PseudoLabels(_Manifest):
    """The content of pseudo_labels.json."""

    method: str
    teacher_sha256: Sha256
    kept: Share  # of all pixels
    kept_pixels: dict[str, Count]  # by class
    quality: LabelQuality | None  # null: no image has a label
    files: Annotated[dict[str, PseudoLabelFile], Field(min_length=1)]  # type: ignore[assignment]  # a dict is invariant


class LabelledShard(_Manifest):
    """The content of labelled/{shard}.json: what a job wrote for one shard, until the manifest of all is written."""

    teacher_sha256: Sha256
    thresholds_sha256: Sha256  # of the bytes of thresholds.json
    pixels: Annotated[list[Count], Field(min_length=256, max_length=256)]  # by trainId; 255 is ignored
    files: Annotated[dict[str, PseudoLabelFile], Field(min_length=1)]  # type: ignore[assignment]  # a dict is invariant

    @model_validator(mode="after")
    def _pixels_are_those_of_images(self) -> Self:
        if not self.images <= sum(self.pixels) < 2**63:
            raise ValueError(f"pixels: expected those of {self.images} images, but got {sum(self.pixels)}")
        return self


def read_labelled_shard(path: Path) -> dict[str, Any]:
    """The content of a labelled/{shard}.json; errors as of ``read_manifest``."""
    return read_content(path, LabelledShard, what="the pseudo-labels of a shard")


def read_manifest(path: Path) -> dict[str, Any]:
    """The content of a pseudo_labels.json, as it was written.

    Raises:
        InputError: the file is missing or damaged, or a value is out of its range.
    """
    return read_content(path, PseudoLabels, what="the manifest of pseudo-labels")


def read_any_manifest(path: Path) -> dict[str, Any]:
    """The content of a pseudo_labels.json or a predictions.json; errors as of ``read_manifest``."""
    return read_content(path, PseudoLabels, Predictions, what="the manifest of pseudo-labels or predictions")
