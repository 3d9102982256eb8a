"""Settings of AdvEnt, and their conflicts with settings of a training."""

from typing import TYPE_CHECKING

from pydantic import Field

from esl.errors import Problem
from esl.settings import Number
from esl.training.terms.settings import OutputWeights, image_sizes

if TYPE_CHECKING:
    from esl.training.settings import TrainSettings

SMALLEST_MAP = 32
"""The least rows and columns of a discriminator's input."""


class AdvEntSettings(OutputWeights):
    """`training.terms.advent`."""

    discriminator_rate: Number = Field(
        1e-4,
        gt=0,
        description="Learning rate of the discriminators (Adam, betas 0.9 and 0.99) at the first iteration "
        "(section 4.1).",
    )

    def conflicts(self, training: "TrainSettings") -> list[Problem]:
        """A gradient scale that several optimisers would share, and images smaller than the discriminators take."""
        problems = []
        if training.compute.precision == "16-mixed":
            problems.append(Problem(("compute.precision",), "advent trains in 32-true or bf16-mixed, but got 16-mixed"))
        smallest = SMALLEST_MAP * training.optimization.label_stride
        problems += [
            Problem(
                (key,),
                f"advent's discriminators need at least {SMALLEST_MAP} compared pixels per side, but got "
                f"{size_wh[0]}x{size_wh[1]} at a training.label_stride of {training.optimization.label_stride}",
            )
            for key, size_wh in image_sizes(training).items()
            if isinstance(size_wh, tuple) and min(size_wh) < smallest
        ]
        return problems
