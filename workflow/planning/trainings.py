"""The settings of every training that a benchmark asks for, composed from its config."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from esl.data.settings import AugmentationSettings
from esl.errors import Problem
from esl.files import sha256_of_file
from esl.models.pretrained import weights_file
from esl.models.settings import ComputeSettings
from esl.settings import Resize, subset
from esl.training.config import RoundSettings, SourceSettings, target_settings, term_of
from esl.training.conflicts import conflicts
from esl.training.settings import AdaptSettings, OptimizationSettings, ScheduleSettings, TargetSettings, TrainSettings
from planning.benchmark import Benchmark
from planning.rounds import rounds
from planning.variants import VariantSettings, keeps, lineage

CONTROL = "control"
"""The variant that rounds are compared with, unless there is one that is nearer to them."""


def source_training(benchmark: Benchmark) -> TrainSettings:
    """The source model: the source alone."""
    return _training(benchmark, benchmark.training.source, benchmark.source.size, None)


def oracle_training(benchmark: Benchmark) -> TrainSettings:
    """The oracle: trained like a round, for as long as all rounds of the longest variant, on labels of the target."""
    part = benchmark.training.round
    longest = max((_iterations(benchmark, name) for name in benchmark.methods), default=part.iterations)
    schedule = part.schedule and max(longest, round(part.schedule * longest / part.iterations))
    part = part.model_copy(
        update={"iterations": longest, "schedule": schedule, "adaptation": "none", "labelled_batch": 0}
    )
    target = target_settings(part, benchmark.target.size, benchmark.training.terms)
    return _without_unread_weights(_training(benchmark, part, benchmark.source.size, target), part)


def _iterations(benchmark: Benchmark, name: str) -> int:
    """The iterations of all rounds that end in the last one of a variant, those that it comes after included."""
    rounds = ((benchmark.methods[each].rounds, benchmark.of_rounds(each)) for each in lineage(benchmark.methods, name))
    return sum(number * view.training.round.iterations for number, view in rounds)


def adapted_training(benchmark: Benchmark) -> TrainSettings:
    """The source model with a target term: the adaptation of the source stage."""
    part = benchmark.training.source
    target = target_settings(part, benchmark.target.size, benchmark.training.terms)
    return _training(benchmark, part, benchmark.source.size, target)


def round_training(benchmark: Benchmark) -> TrainSettings:
    """A self-training round; it names published weights only where it starts from them."""
    part = benchmark.training.round
    target = target_settings(part, benchmark.target.size, benchmark.training.terms)
    return _without_unread_weights(_training(benchmark, part, benchmark.source.size, target), part)


def _without_unread_weights(settings: TrainSettings, part: RoundSettings) -> TrainSettings:
    """The settings of a training like a round: published weights are named only where it starts from them."""
    return settings if part.initial == "pretrained" else settings.model_copy(update={"pretrained": None})


def controls(benchmark: Benchmark) -> dict[str, str]:
    """Round -> its control: the same training without pseudo-labels.

    That is a variant that keeps nothing, comes after the same one and trains in the same way. Without it, the variant
    `control` if there is one. Of a control with fewer rounds, the last.
    """
    idle = [name for name, variant in benchmark.methods.items() if not keeps(name, variant)]
    found = {}
    for name, number in rounds(benchmark):
        same = [other for other in idle if _differ_in_labels_alone(benchmark, name, other)]
        plain = [other for other in idle if other == CONTROL and other != name]
        if names := [*same, *plain]:
            found[f"{name}-round{number}"] = f"{names[0]}-round{min(number, benchmark.methods[names[0]].rounds)}"
    return found


def _differ_in_labels_alone(benchmark: Benchmark, name: str, other: str) -> bool:
    """Whether ``other``, which keeps nothing, is trained as ``name``, which keeps pseudo-labels."""
    methods = benchmark.methods
    if not keeps(name, methods[name]) or methods[name].after != methods[other].after:
        return False
    return round_training(benchmark.of_rounds(name)) == round_training(benchmark.of_rounds(other))


def batch_norm_adaptation(benchmark: Benchmark) -> AdaptSettings:
    """The pass over target images that replaces the statistics of batch norm."""
    return AdaptSettings(
        seed=benchmark.seed,
        target_size=benchmark.target.size,
        batch_size=benchmark.training.source.source_batch,
        augmentation=subset(benchmark.training, AugmentationSettings),
        compute=subset(benchmark.compute, ComputeSettings),
    )


def with_digest(settings: TrainSettings) -> TrainSettings:
    """The settings with the SHA-256 of the file of published weights that they name, if they name one."""
    path = weights_file(settings.network, settings.pretrained)
    if path is None or not path.is_file():
        return settings
    status = path.stat()
    return settings.model_copy(update={"pretrained_sha256": _sha256(path, status.st_size, status.st_mtime_ns)})


@cache
def _sha256(path: Path, size: int, modified: int) -> str:
    return sha256_of_file(path)


def training_conflicts(benchmark: Benchmark) -> list[Problem]:
    """The conflicts of all trainings that the benchmark asks for, each once."""
    recompute = benchmark.compute.activation_checkpointing
    problems = [
        problem
        for section, domain, settings in _every_training(benchmark)
        for problem in conflicts(settings, activation_checkpointing=recompute, section=section, domain=domain)
    ]
    for name, variant in benchmark.methods.items():
        training = round_training(benchmark.of_rounds(name))
        of_rounds = conflicts(training, activation_checkpointing=recompute, section="training.round")
        problems += [_located(each, variant, f"methods.{name}") for each in of_rounds if each not in problems]
    return [*dict.fromkeys(problems)]


def _located(problem: Problem, variant: VariantSettings, key: str) -> Problem:
    """A conflict with the keys that the variant at ``key`` sets itself; at least one that names the variant."""
    own: dict[str, object] = {"network": variant.network, "pretrained": variant.pretrained}
    own |= {"source.size": variant.source_size, "target.size": variant.target_size}
    own |= {f"training.round.{name}": name for name in variant.round}
    own |= {f"training.terms.{term}.{name}": name for term, values in variant.terms.items() for name in values}
    renamed = {name: f"{key}.{name.removeprefix('training.').replace('.size', '_size')}" for name in own if own[name]}
    keys = tuple(renamed.get(name, name) for name in problem.keys)
    note = f" (of {key})" if renamed and keys == problem.keys else ""
    return Problem(keys, f"{problem.text}{note}")


def _every_training(benchmark: Benchmark) -> Iterator[tuple[str, str, TrainSettings]]:
    """Section of the config, domain of the labelled images, and settings of each training but those of rounds."""
    yield "training.source", "source", source_training(benchmark)
    if term_of(benchmark.training.source.adaptation):
        yield "training.source", "source", adapted_training(benchmark)
    if benchmark.oracle:
        yield "training.round", "source", oracle_training(benchmark)


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
