"""Settings of the train and adapt stages; `config.py` composes the config's `training` from them."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from esl.data.settings import AugmentationSettings
from esl.models.settings import Compile, ComputeSettings, Network, Pretrained
from esl.settings import Number, Resize, Settings

Seed = Annotated[
    int,
    Field(
        ge=0,
        lt=2**32,
        description="Seed of everything random: weights, order of images, augmentation. Replaces `{seed}` in a root.",
    ),
]

TargetBatch = Annotated[int, Field(ge=1, description="Target images per iteration and GPU.")]

BatchNorm = Literal["per_domain", "shared", "frozen"]

Temperature = Annotated[Number, Field(ge=1e-3, le=100)]
"""The temperature of rare-class sampling: the lower, the more it prefers rare classes."""


class OptimizationSettings(Settings):
    """Optimiser and losses of all trainings of a benchmark."""

    optimizer: Literal["adamw", "sgd"] = Field("adamw", description="`adamw`, or `sgd` with momentum.")
    momentum: Number = Field(0.9, ge=0, lt=1, description="Momentum of `sgd`.")
    weight_decay: Number = Field(0.01, ge=0, description="Weight decay of the optimiser.")
    repeat_backbone: bool = Field(
        False,
        description="Reproduce a quirk of ADVENT's and BDL's public code under torch 0.4: a weight of the backbone of "
        "`deeplabv2_resnet101` that the optimiser lists k times gets k SGD updates per iteration (most weights: 3 or "
        "4). Only to compare with that code.",
    )
    power: Number = Field(
        0.9,
        ge=0,
        description="Exponent of the polynomial learning rate: `learning_rate * (1 - iteration / schedule) ** power`.",
    )
    auxiliary_weight: Number = Field(
        0.1, ge=0, description="Weight of the auxiliary output's cross-entropy; the main output's is 1."
    )
    accumulate: int = Field(1, ge=1, description="Number of batches whose gradients make up one iteration.")
    label_stride: int = Field(
        1,
        ge=1,
        description="The losses compare every n-th row and column of the labels; 2 makes the small network train "
        "twice as fast.",
    )
    log_every: int = Field(50, ge=1, description="Number of iterations averaged into one row of `train.csv`.")


class ScheduleSettings(Settings):
    """Length, learning rate and batch of labelled images of one training."""

    iterations: int = Field(ge=1, le=1_000_000_000, description="Number of iterations.")
    learning_rate: Number = Field(
        gt=0,
        description="Learning rate at the first iteration; ten times as high for the classifiers of "
        "`deeplabv2_resnet101`.",
    )
    schedule: int | None = Field(
        None,
        ge=1,
        description="Number of iterations after which the learning rate would reach 0, at least `iterations`; the "
        "papers stop at 120,000 of 250,000. null: `iterations`.",
    )
    source_batch: int = Field(ge=1, description="Labelled images per iteration and GPU.")
    warmup: int = Field(
        0,
        ge=0,
        description="Number of first iterations in which the learning rate grows linearly to that of the schedule "
        "(DAFormer: 1,500 of 40,000).",
    )
    rare_class_sampling: Temperature | None = Field(
        None,
        description="Temperature T of rare-class sampling: a class c is drawn with a probability proportional to "
        "`exp((1 - f) / T)`, f its share of all labelled pixels, and then one of the images that hold it (DAFormer: "
        "0.01). null: every image once in each pass.",
    )

    @model_validator(mode="after")
    def _schedule_covers_the_iterations(self) -> Self:
        if self.warmup > self.iterations:
            raise ValueError(f"warmup: expected at most the {self.iterations} iterations, but got {self.warmup}")
        if self.length < self.iterations:
            raise ValueError(f"schedule: expected at least the {self.iterations} iterations, but got {self.schedule}")
        return self

    @property
    def length(self) -> int:
        """Iterations until the learning rate would be 0."""
        return self.iterations if self.schedule is None else self.schedule


class TargetBatchSettings(Settings):
    """How target images pass through the network in training."""

    target_batch: TargetBatch
    batch_norm: BatchNorm = Field(
        "per_domain",
        description="How batch norm treats the two domains. `per_domain`: each is normalised by its own batch, and the "
        "running statistics, for inference, are the target's (Chang et al. 2019, with shared scales); `shared`: the "
        "running statistics follow both domains in turn, as in ADVENT's public code; `frozen`: the running statistics "
        "of the initial model normalise both and do not change.",
    )
    style: Literal["none", "fda"] = Field(
        "none",
        description="`fda`: source images take the amplitudes of the lowest frequencies, such as light and tint, from "
        "a target image of the same iteration (Yang & Soatto 2020). `none`: source images as they are.",
    )
    style_band: Number = Field(
        0.01,
        ge=0,
        le=0.5,
        description="Half the side of the square of frequencies that `fda` replaces, as a share of the shorter side of "
        "the image; published: 0.01, 0.05 and 0.09.",
    )
    style_share: Number = Field(1.0, ge=0, le=1, description="Probability of `style`, per source image.")


class SelfTrainingSettings(TargetBatchSettings):
    """How target images with pseudo-labels are trained on."""

    pseudo_label_weight: Number = Field(
        1.0, ge=0, description="Weight of the target's cross-entropy; the source's is 1."
    )
    labelled_batch: int = Field(
        0,
        ge=0,
        description="Labelled target images per iteration and GPU, in addition to `target_batch`: those of "
        "`target.labels` for training. The weight of their cross-entropy is 1, as of the source's. 0: none.",
    )
    target_rare_class_sampling: Temperature | None = Field(
        None,
        description="Temperature of rare-class sampling of target images, by the classes of their pseudo-labels; see "
        "`rare_class_sampling`. null, or without any pseudo-label: every image once in each pass.",
    )


class TargetSettings(SelfTrainingSettings):
    """The target of a training: how its images are read, batched and trained on."""

    target_size: Resize
    term: str | None = Field(None, description="Name of a target term: a further loss on the target.")
    term_settings: dict[str, Any] = Field(default_factory=dict, description="Settings of the term.")


class TrainSettings(Settings):
    """All settings that decide the weights of a training, apart from its inputs."""

    seed: Seed
    network: Network
    pretrained: Pretrained = None
    pretrained_sha256: str | None = Field(None, description="SHA-256 of the file `pretrained`, as it was planned with.")
    source_size: Resize
    augmentation: AugmentationSettings
    optimization: OptimizationSettings = OptimizationSettings()
    schedule: ScheduleSettings
    target: TargetSettings | None = None
    compute: ComputeSettings = ComputeSettings()
    compile: Compile = False


class AdaptSettings(Settings):
    """All settings that decide the statistics of the adapt stage, apart from its inputs."""

    seed: Seed
    target_size: Resize
    batch_size: int = Field(ge=1, description="Target images per batch.")
    augmentation: AugmentationSettings
    compute: ComputeSettings = ComputeSettings()
