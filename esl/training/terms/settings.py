"""The base classes of target terms' settings."""

from typing import TYPE_CHECKING, Any

from pydantic import Field

from esl.errors import Problem
from esl.settings import Number, Settings, crop_wh, resize_wh

if TYPE_CHECKING:
    from esl.training.settings import TrainSettings


class BaseTermSettings(Settings):
    """Settings of a target term: `training.terms.{name}` of the config."""

    def changed(self) -> dict[str, Any]:
        """The values that differ from the defaults."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def conflicts(self, training: "TrainSettings") -> list[Problem]:
        """A problem for each setting of ``training`` that the term cannot work with."""
        return []


def image_sizes(training: "TrainSettings") -> dict[str, tuple[int, int] | int | None]:
    """Config key -> the size of images in a batch: of the crop, or else of each domain.

    (width, height); the length of the longer side; or ``None``, where images keep their own sizes.
    """
    if training.augmentation.crop != "whole" or training.target is None:
        return {"training.crop": crop_wh(training.augmentation.crop)}
    return {
        "source.size": resize_wh(training.source_size),
        "target.size": resize_wh(training.target.target_size),
    }


def same_sizes(training: "TrainSettings") -> bool:
    """Whether every source image is as large as every target image."""
    sizes = {*image_sizes(training).values()}
    return len(sizes) == 1 and isinstance(sizes.pop(), tuple)


class OutputWeights(BaseTermSettings):
    """Weights of a term that has a loss for each output of the network; published by ADVENT (Vu et al. 2019)."""

    weight: Number = Field(
        1e-3, ge=0, description="Weight of the loss at the main output (section 4.1); the source's cross-entropy has 1."
    )
    auxiliary_weight: Number = Field(
        2e-4, ge=0, description="Weight of the loss at the auxiliary output (ADVENT's public settings)."
    )
