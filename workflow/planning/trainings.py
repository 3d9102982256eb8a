"""The settings of every training that a benchmark asks for, composed from its config."""

from collections.abc import Iterator

from esl.data.settings import AugmentationSettings
from esl.models.settings import ComputeSettings
from esl.settings import Resize, subset
from esl.training.conflicts import conflicts
from esl.training.settings import (
    AdaptSettings,
    OptimizationSettings,
    RoundSettings,
    ScheduleSettings,
    SourceSettings,
    TargetSettings,
    TrainSettings,
    target_settings,
    term_of,
)
from planning.benchmark import Benchmark


def source_training(benchmark: Benchmark) -> TrainSettings:
    """The source model: the source alone."""
    return _training(benchmark, benchmark.training.source, benchmark.source.size, None)


def oracle_training(benchmark: Benchmark) -> TrainSettings:
    """The oracle: the training of the source model, on the labels of the target."""
    return _training(benchmark, benchmark.training.source, benchmark.target.size, None)


def adapted_training(benchmark: Benchmark) -> TrainSettings:
    """The source model with a target term: the adaptation of the source stage."""
    part = benchmark.training.source
    target = target_settings(part, benchmark.target.size, benchmark.training.terms)
    return _training(benchmark, part, benchmark.source.size, target)


def round_training(benchmark: Benchmark) -> TrainSettings:
    """A self-training round; it names published weights only where it starts from them."""
    part = benchmark.training.round
    target = target_settings(part, benchmark.target.size, benchmark.training.terms)
    settings = _training(benchmark, part, benchmark.source.size, target)
    return settings if part.initial == "pretrained" else settings.model_copy(update={"pretrained": None})


def batch_norm_adaptation(benchmark: Benchmark) -> AdaptSettings:
    """The pass over target images that replaces the statistics of batch norm."""
    return AdaptSettings(
        seed=benchmark.seed,
        target_size=benchmark.target.size,
        batch_size=benchmark.training.source.source_batch,
        augmentation=subset(benchmark.training, AugmentationSettings),
        compute=subset(benchmark.compute, ComputeSettings),
    )


def training_conflicts(benchmark: Benchmark) -> list[str]:
    """The conflicts of all trainings that the benchmark asks for, each once: lines that begin with a config key."""
    recompute = benchmark.compute.activation_checkpointing
    lines = [
        line
        for section, domain, settings in _every_training(benchmark)
        for line in conflicts(settings, activation_checkpointing=recompute, section=section, domain=domain)
    ]
    return [*dict.fromkeys(lines)]


def _every_training(benchmark: Benchmark) -> Iterator[tuple[str, str, TrainSettings]]:
    """Section of the config, domain of the labelled images, and settings of each training."""
    yield "training.source", "source", source_training(benchmark)
    if term_of(benchmark.training.source.adaptation):
        yield "training.source", "source", adapted_training(benchmark)
    if benchmark.oracle:
        yield "training.source", "target", oracle_training(benchmark)
    if benchmark.methods:
        yield "training.round", "source", round_training(benchmark)


def _training(
    benchmark: Benchmark, part: SourceSettings | RoundSettings, source_size: Resize, target: TargetSettings | None
) -> TrainSettings:
    return TrainSettings(
        seed=benchmark.seed,
        network=benchmark.network,
        pretrained=benchmark.pretrained,
        source_size=source_size,
        augmentation=subset(benchmark.training, AugmentationSettings),
        optimization=subset(benchmark.training, OptimizationSettings),
        schedule=subset(part, ScheduleSettings),
        target=target,
        compute=subset(benchmark.compute, ComputeSettings),
        compile=benchmark.compute.compile,
    )
