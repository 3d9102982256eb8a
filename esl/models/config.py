"""The config's `compute` section: read while jobs are planned, by no stage, so an edit here reruns nothing."""

from pydantic import Field

from esl.models.settings import Compile, ComputeSettings


class ComputeConfig(ComputeSettings):
    """The config's `compute`: devices, processes and memory."""

    workers: int = Field(
        1, ge=0, description="Processes that read and augment images, for each of the two streams of a training."
    )
    compile: Compile = False
    activation_checkpointing: bool = Field(
        False,
        description="Compute the activations of every block a second time in the backward pass instead of storing "
        "them: about a third of the memory for activations, one more forward pass, the same bytes. Excludes `compile`.",
    )
