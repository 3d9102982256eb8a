"""The JSON files of labelling: which target images were drawn for labels, and the labels that came back."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from esl.contents import Content, Count, Sha256, read_content
from esl.labels.manifest import PredictionFile

LabelSet = Literal["measure", "train"]
"""The use of labelled images: scores, or training. An image is in one of the two sets, never in both."""


class DrawnImage(Content):
    """A target image to label."""

    image: str  # its path from the root
    sha256: Sha256
    score: float | None  # by the rule of the draw, high is drawn first; null: the rule has none


class Drawn(Content):
    """The content of label/draw.json: images by id, in the order of the draw."""

    rule: str  # of `train`; `measure` is drawn at random
    seed: Count
    measure: dict[str, DrawnImage]
    train: dict[str, DrawnImage]

    @model_validator(mode="after")
    def _the_sets_are_disjoint(self) -> Self:
        digests = {drawn.sha256 for drawn in self.measure.values()}
        if twice := [id_ for id_, drawn in self.train.items() if id_ in self.measure or drawn.sha256 in digests]:
            raise ValueError(f"train: {twice[0]}: also in measure")
        return self


class LabelFile(PredictionFile):
    """The PNG of a label: trainIds at the size of its image, 255 where nothing is labelled."""

    set: LabelSet
    image_sha256: Sha256
    pixels: list[Count]  # labelled pixels of each class


class Labels(Content):
    """The content of label/labels.json: labels of target images that came back; the PNGs lie in labels/."""

    origin: str  # the file or folder that they were read from, or `own`
    drawn_at_random: bool = False  # the set `measure`: images that the workflow drew, and no others
    images: Count
    pixels: dict[str, Count]  # by class
    files: Annotated[dict[str, LabelFile], Field(min_length=1)]  # by the sample's id

    @model_validator(mode="after")
    def _every_image_has_a_file(self) -> Self:
        if self.images != len(self.files):
            raise ValueError(f"images: expected as many as files, {len(self.files)}, but got {self.images}")
        if any(len(file.pixels) != len(self.pixels) for file in self.files.values()):
            raise ValueError(f"files: expected pixels of {len(self.pixels)} classes for each")
        digests: dict[str, set[str]] = {"measure": set(), "train": set()}
        for file in self.files.values():
            digests[file.set].add(file.image_sha256)
        if digests["measure"] & digests["train"]:
            raise ValueError("files: an image is in both sets, measure and train")
        return self


def read_drawn(path: Path) -> Drawn:
    """Reads a draw.json; errors as of ``read_labels``."""
    return read_content(path, Drawn, what="a draw of images to label")


def read_labels(path: Path) -> Labels:
    """Reads a labels.json.

    Raises:
        InputError: the file is missing or damaged, a value is out of its range, or an image is in both sets.
    """
    return read_content(path, Labels, what="the labels of target images")
