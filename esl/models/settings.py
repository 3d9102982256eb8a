"""Settings of networks: which one, from which weights, and on which device."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from esl.settings import Settings, size_wh

Network = Annotated[
    str,
    Field(
        description="Name of the segmentation network; or `smp/DECODER/ENCODER`, of segmentation-models-pytorch, such "
        "as `smp/fpn/resnet50`, with the encoder also timm's, such as `smp/dpt/tu-vit_small_patch14_dinov2.lvd142m`."
    ),
]

Pretrained = Annotated[
    str | None,
    Field(
        description="File of published weights that training starts from; `package`: the ImageNet weights that an "
        "installed Python package brings; or `torchvision`: its ImageNet weights, downloaded when they are not in its "
        "cache. null: fresh weights."
    ),
]

Compile = Annotated[
    bool,
    Field(
        description="Train the network through `torch.compile`: slower to start (half a minute or more), then faster "
        "on GPUs. Without a compiler (C++ on a CPU, Triton on a GPU) the log says so and the network trains as it is."
    ),
]


class ComputeSettings(Settings):
    """The device and the precision of a network."""

    accelerator: Literal["auto", "cpu", "cuda", "mps"] = Field(
        "auto", description="Accelerator, by its name in lightning-fabric; with `cpu`, jobs ask a cluster for no GPU."
    )
    precision: Literal["auto", "32-true", "bf16-mixed", "16-mixed"] = Field(
        "auto",
        description="Precision, by its name in lightning-fabric. `auto` is `bf16-mixed` on GPUs and processors with "
        "instructions for bfloat16 (AMX, AVX512-BF16), and `32-true` elsewhere; results say which one it was.",
    )


GRID = 32
"""Sliding windows begin at multiples of this many pixels, a multiple of every usual stride."""

SMALLEST_WINDOW = 128
"""Neighbours share a third of a window, less what rounding to the grid takes."""


def _checked_window(value: str) -> str:
    if any(side < SMALLEST_WINDOW or side % GRID for side in size_wh(value)):
        raise ValueError(f"expected sides that are multiples of {GRID}, at least {SMALLEST_WINDOW}, such as 512x512")
    return value


class PredictionSettings(Settings):
    """How a trained network is run over images."""

    batch_size: int = Field(8, ge=1, description="Images at a time on a GPU. A CPU takes one at a time on each thread.")
    window: Annotated[str, AfterValidator(_checked_window)] | None = Field(
        None,
        description="Sliding windows, `WIDTHxHEIGHT` in pixels after resizing, in multiples of 32: the network sees "
        "overlapping parts of this size (about a third is shared) instead of whole images, and its probabilities are "
        "averaged, for maps and for evaluation. For networks trained on crops of large images. null: whole images.",
    )

    @property
    def window_wh(self) -> tuple[int, int] | None:
        """``window`` as (width, height) in pixels."""
        return None if self.window is None else size_wh(self.window)
