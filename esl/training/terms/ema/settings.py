"""Settings of online self-training, and their conflicts with settings of a training."""

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from esl.errors import Problem
from esl.settings import Number
from esl.training.terms.settings import BaseTermSettings, image_sizes, same_sizes

if TYPE_CHECKING:
    from esl.training.settings import TrainSettings

Weighting = Literal["share", "pixel", "none"]
Statistics = Literal["average", "copy", "batch"]


class EmaSettings(BaseTermSettings):
    """`training.terms.ema`; unless noted, the defaults are DAFormer's (Hoyer et al. 2022)."""

    weight: Number = Field(
        1.0, ge=0, description="Weight of the loss against the teacher's pseudo-labels; the source's is 1."
    )
    alpha: Number = Field(
        0.999,
        ge=0,
        lt=1,
        description="The teacher's weights are a moving average of the student's: after step t (from 1) they keep "
        "`min(1 - 1 / (t + 1), alpha)` of themselves (Tarvainen & Valpola 2017): in the first `1 / (1 - alpha)` steps "
        "the teacher is the mean of all students so far.",
    )
    statistics: Statistics = Field(
        "average",
        description="Batch norm of the teacher: running statistics that are the moving `average` of the student's "
        "(SAC, Araslanov & Roth 2021) or a `copy` of them; or those of each `batch` of target images (DACS, Tranheden "
        "et al. 2021, and DAFormer).",
    )
    flip: bool = Field(
        False, description="Average the teacher's probabilities with those of the mirrored image (one of SAC's views)."
    )
    confidence: Number = Field(
        0.968, ge=0, lt=1, description="Probability above which a pixel of the teacher counts as confident (DACS)."
    )
    weighting: Weighting = Field(
        "share",
        description="Weight of a pseudo-labelled pixel: the `share` of confident pixels in the batch (DACS); per "
        "`pixel`, 1 if confident and else 0; or `none`, always 1. Pixels pasted from the source have 1.",
    )
    mix: Literal["classmix", "none"] = Field(
        "classmix",
        description="`classmix`: the pixels of half of a source image's classes, rounded up, are pasted on the target "
        "image, with their labels (Olsson et al. 2021; DACS). `none`: the target image as it is.",
    )
    colour: Number = Field(
        0.2,
        ge=0,
        le=0.5,
        description="Strength of the student's further random changes of brightness, contrast, saturation and hue; the "
        "teacher does not see them. 0: none.",
    )
    colour_probability: Number = Field(0.8, ge=0, le=1, description="Probability of these changes, per image.")
    blur: Number = Field(0.5, ge=0, le=1, description="Probability that the student's image is blurred.")
    mask_ratio: Number = Field(
        0.0,
        ge=0,
        lt=1,
        description="Share of blocks that are masked in a further target image, on which the student is compared with "
        "the same pseudo-labels (MIC, Hoyer et al. 2023: 0.7). 0: no such loss, and no such forward pass.",
    )
    mask_block: int = Field(
        64,
        ge=1,
        description="Side of a masked block in pixels of the crop: MIC's 64 belong to crops of 512x512 out of images "
        "1024 wide; scale it with the images.",
    )
    mask_weight: Number = Field(1.0, ge=0, description="Weight of the loss on masked images (MIC).")
    final: Literal["student", "teacher"] = Field(
        "student", description="Whose weights the checkpoint and the snapshots hold."
    )

    def conflicts(self, training: "TrainSettings") -> list[Problem]:
        """Images that cannot be pasted on each other, blocks larger than an image, frozen and batch statistics."""
        problems = []
        if self.mix == "classmix" and not same_sizes(training):
            problems.append(
                Problem(
                    ("training.crop",),
                    "ema pastes source pixels on target images, so both need one size; set a crop, the same "
                    "WIDTHxHEIGHT as source.size and target.size, or training.terms.ema.mix to none",
                )
            )
        if self.mask_ratio:
            problems += [
                Problem(
                    ("training.terms.ema.mask_block",),
                    f"blocks of {self.mask_block} pixels do not fit into images of {size_wh[0]}x{size_wh[1]} ({key}); "
                    "set it to a quarter of the shorter side or less",
                )
                for key, size_wh in image_sizes(training).items()
                if isinstance(size_wh, tuple) and key != "source.size" and min(size_wh) < self.mask_block
            ]
        if self.statistics == "batch" and training.target is not None and training.target.batch_norm == "frozen":
            problems.append(
                Problem(
                    ("training.terms.ema.statistics",),
                    "`batch` does not go together with a frozen batch_norm; set it to average",
                )
            )
        return problems
