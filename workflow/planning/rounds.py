"""The rounds of a benchmark: which model teaches each, which one it starts from, and where that cannot be."""

import re
from collections.abc import Iterator, Sequence

from esl.labels.methods.registry import method_class
from esl.models.registry import network_mistake, pretrained_mistake
from esl.training.settings import start_of_rounds
from planning.benchmark import Benchmark
from planning.variants import NAME, in_order, method_of, own_settings

ROUND = re.compile(rf"(?P<name>{NAME})-round(?P<number>[1-9]\d*)")
"""The folder of a self-training round: the name of its entry in `methods` and its number, from 1."""


def round_of(model: str) -> tuple[str, int]:
    """The entry of `methods` and the number of a model that is a round; of another model, its name and 0.

    >>> round_of("esl-round2"), round_of("source")
    (('esl', 2), ('source', 0))
    """
    match = ROUND.fullmatch(model)
    return (match["name"], int(match["number"])) if match else (model, 0)


def rounds(benchmark: Benchmark) -> list[tuple[str, int]]:
    """Every round: entry of `methods` and number, in the order of the summary."""
    return [
        (name, number + 1) for name in in_order(benchmark.methods) for number in range(benchmark.methods[name].rounds)
    ]


def first_teacher(benchmark: Benchmark, name: str) -> str:
    """The model that teaches an entry's first round: the start of rounds, or the last round that it comes after."""
    after = benchmark.methods[name].after
    if after is None:
        return start_of_rounds(benchmark.training.source.adaptation)
    return f"{after}-round{benchmark.methods[after].rounds}"


def teacher(benchmark: Benchmark, name: str, number: int) -> str:
    """The model before a round."""
    return first_teacher(benchmark, name) if number == 1 else f"{name}-round{number - 1}"


def rounds_before(benchmark: Benchmark, name: str, number: int) -> int:
    """How many rounds were trained, one after the other, to make the teacher of a round."""
    count = 0
    while (model := teacher(benchmark, name, number)) and (before := round_of(model))[1]:
        count, (name, number) = count + 1, before
    return count


def initial_model(benchmark: Benchmark, name: str, number: int) -> str | None:
    """The model whose weights a round starts from; ``None`` where it starts from published or fresh ones."""
    initial = benchmark.of_rounds(name).training.round.initial
    if initial in ("pretrained", "fresh"):
        return None
    return first_teacher(benchmark, name) if initial == "source" else teacher(benchmark, name, number)


def every_pretrained(benchmark: Benchmark) -> Iterator[tuple[str, str, str | None]]:
    """Config key, network and published weights of the benchmark and of each entry of `methods` that names its own."""
    yield "pretrained", benchmark.network, benchmark.pretrained
    for name, variant in benchmark.methods.items():
        if variant.pretrained is not None:
            yield f"methods.{name}.pretrained", variant.network or benchmark.network, variant.pretrained


def mistakes(benchmark: Benchmark) -> list[str]:
    """What contradicts itself in the networks and in the entries of `methods`, each line beginning with a key."""
    return [*_of_networks(benchmark), *_of_overrides(benchmark)] or [*_of_starts(benchmark)]


def missing_maps(benchmark: Benchmark) -> Iterator[str]:
    """Maps that a selection method reads and inference does not store."""
    stored = {"label", *benchmark.inference.maps}
    for name, variant in benchmark.methods.items():
        method = method_class(method_of(name, variant))(own_settings(name, variant))
        if missing := [map_ for map_ in method.maps if map_ not in stored]:
            yield f"inference.maps: {name} reads {', '.join(missing)}, which is not stored; add it, or remove {name}"


def unknown_classes(benchmark: Benchmark, classes: Sequence[str]) -> Iterator[str]:
    """Classes that the settings of a selection method name and that are not among the benchmark's ``classes``."""
    for name, variant in benchmark.methods.items():
        yield from (f"methods.{name}.{line}" for line in own_settings(name, variant).unknown_classes(classes))


def _of_networks(benchmark: Benchmark) -> Iterator[str]:
    """Unknown networks, and weights that do not fit them."""
    networks = {"network": benchmark.network}
    networks |= {f"methods.{name}.network": it.network for name, it in benchmark.methods.items() if it.network}
    unknown = set()
    for key, network in networks.items():
        if mistake := network_mistake(network):
            unknown.add(network)
            yield f"{key}: {mistake}"
    for key, network, pretrained in every_pretrained(benchmark):
        if network not in unknown and (mistake := pretrained_mistake(network, pretrained)):
            yield f"{key}: {mistake}"


def _of_overrides(benchmark: Benchmark) -> Iterator[str]:
    """Keys and values of `training` that an entry overrides wrongly."""
    for name in benchmark.methods:
        try:
            benchmark.of_rounds(name)
        except ValueError as error:
            yield str(error)


def _of_starts(benchmark: Benchmark) -> Iterator[str]:
    """Weights that the rounds of an entry cannot start from, or that it names and they never read."""
    for name in benchmark.methods:
        yield from _of_start(benchmark, name)


def _of_start(benchmark: Benchmark, name: str) -> Iterator[str]:
    variant, entry, view = benchmark.methods[name], f"methods.{name}", benchmark.of_rounds(name)
    initial = view.training.round.initial
    key = f"{entry}.round.initial" if "initial" in variant.round else "training.round.initial"
    if initial == "pretrained" and view.pretrained is None:
        if view.network == benchmark.network:
            yield f"{key}: rounds start from the `pretrained` weights, but pretrained names none"
        else:
            yield (
                f"{entry}.pretrained: rounds start from published weights ({key}), but none of {view.network} are "
                f"named; name a file, or set {entry}.round.initial to `fresh`"
            )
    if initial != "pretrained" and variant.pretrained is not None:
        yield (
            f"{entry}.pretrained: never read, because the rounds start from `{initial}` ({key}); set "
            f"{entry}.round.initial to `pretrained`"
        )
    start = initial_model(benchmark, name, 1)
    if start is not None and (others := _network(benchmark, start)) != view.network:
        yield (
            f"{entry}.network: {name}-round1 would start from {start!r}, whose weights are those of {others}, not of "
            f"{view.network}; set {entry}.round.initial to `pretrained` ({entry}.pretrained names the file) or `fresh`"
        )


def _network(benchmark: Benchmark, model: str) -> str:
    """The network of a model."""
    name, number = round_of(model)
    return (benchmark.methods[name].network if number else None) or benchmark.network
