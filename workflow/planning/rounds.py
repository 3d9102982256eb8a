"""The rounds of a benchmark: the teacher of each, the model that it starts from, and problems of either."""

import re
from collections.abc import Iterator, Sequence

from esl.errors import Problem, suggestion
from esl.labelling.draws.registry import DRAWS, READS
from esl.labelling.settings import OWN
from esl.models.build import network_problem
from esl.models.pretrained import pretrained_problem
from esl.training.config import start_of_rounds
from planning.benchmark import Benchmark
from planning.variants import NAME, in_order, keeps, lineage, own_settings, selection_method

ROUND = re.compile(rf"(?P<name>{NAME})-round(?P<number>[1-9]\d*)")
"""The folder of a self-training round: the name of its variant and its number, from 1."""


def round_of(model: str) -> tuple[str, int]:
    """The variant and the number of a model that is a round; of another model, its name and 0.

    >>> round_of("esl-round2"), round_of("source")
    (('esl', 2), ('source', 0))
    """
    match = ROUND.fullmatch(model)
    return (match["name"], int(match["number"])) if match else (model, 0)


def rounds(benchmark: Benchmark) -> list[tuple[str, int]]:
    """Every round: variant and number, in the order of the summary."""
    return [
        (name, number + 1) for name in in_order(benchmark.methods) for number in range(benchmark.methods[name].rounds)
    ]


def first_teacher(benchmark: Benchmark, name: str) -> str:
    """The teacher of a variant's first round: the start of rounds, or the last round that it comes after."""
    after = benchmark.methods[name].after
    if after is None:
        return start_of_rounds(benchmark.training.source.adaptation)
    return f"{after}-round{benchmark.methods[after].rounds}"


def teacher(benchmark: Benchmark, name: str, number: int) -> str:
    """The model before a round."""
    return first_teacher(benchmark, name) if number == 1 else f"{name}-round{number - 1}"


def rounds_before(benchmark: Benchmark, name: str, number: int) -> int:
    """The number of rounds that were trained, one after the other, to make the teacher of a round."""
    before, before_number = round_of(teacher(benchmark, name, number))
    return 1 + rounds_before(benchmark, before, before_number) if before_number else 0


def initial_model(benchmark: Benchmark, name: str, number: int) -> str | None:
    """The model whose weights a round starts from; ``None`` where it starts from published or fresh ones."""
    initial = benchmark.of_rounds(name).training.round.initial
    if initial in ("pretrained", "fresh"):
        return None
    return first_teacher(benchmark, name) if initial == "source" else teacher(benchmark, name, number)


def uses_labels(benchmark: Benchmark, name: str) -> bool:
    """Whether the rounds of a variant, or of one that it comes after, train on target labels."""
    views = (benchmark.of_rounds(each) for each in lineage(benchmark.methods, name))
    return any(view.training.round.labelled_batch for view in views)


def round_before_labels(benchmark: Benchmark) -> str | None:
    """The round that is looked at to choose images to label: the config's, or the last one without target labels.

    ``None``: no round without target labels keeps pseudo-labels.
    """
    if benchmark.labelling.round is not None:
        return benchmark.labelling.round
    candidates = _rounds_before_labels(benchmark)
    return candidates[-1] if candidates else None


def model_before_labels(benchmark: Benchmark) -> str:
    """The model whose predictions are the annotations to correct: that round, or else the start of rounds."""
    return round_before_labels(benchmark) or start_of_rounds(benchmark.training.source.adaptation)


def _rounds_before_labels(benchmark: Benchmark) -> list[str]:
    return [
        f"{name}-round{number}"
        for name, number in rounds(benchmark)
        if keeps(name, benchmark.methods[name]) and not uses_labels(benchmark, name)
    ]


def labelling_problems(benchmark: Benchmark) -> Iterator[Problem]:
    """Contradictions between the settings of labels, draws and rounds."""
    labels, labelling, known = benchmark.target.labels, benchmark.labelling, _rounds_before_labels(benchmark)
    if labelling.draw not in DRAWS:
        yield Problem(("labelling.draw",), f"unknown rule {labelling.draw!r}{suggestion(labelling.draw, DRAWS)}")
    if labelling.round is not None and labelling.round not in known:
        yield Problem(
            ("labelling.round",),
            f"expected a round that keeps pseudo-labels and trains on no target labels ({', '.join(known) or 'none'}), "
            f"but got {labelling.round!r}",
        )
    if labelling.draw in READS and not known:
        yield Problem(
            ("labelling.draw",),
            f"{labelling.draw} looks at a round without target labels, and there is none; add `esl` to methods, or "
            "take `random` or `spread`",
        )
    if READS.get(labelling.draw) == "maps" and "confidence" not in benchmark.inference.maps:
        yield Problem(("inference.maps",), f"{labelling.draw} reads confidence, which is not stored; add it")
    if labels == OWN and not labelling.train:
        yield Problem(
            ("target.labels", "labelling.train"),
            "`own` takes the labels of the images drawn for training, but 0 are drawn; draw some, or leave out labels",
        )
    readers = [name for name in benchmark.methods if benchmark.of_rounds(name).training.round.labelled_batch]
    if readers and labels is None:
        yield Problem(
            (f"methods.{readers[0]}.round.labelled_batch",),
            "trains on labels of target images, but target.labels names none; name them, or set it to 0",
        )


def every_pretrained(benchmark: Benchmark) -> Iterator[tuple[str, str, str | None]]:
    """Config key, network and published weights of the benchmark and of each variant that names its own."""
    yield "pretrained", benchmark.network, benchmark.pretrained
    for name, variant in benchmark.methods.items():
        if variant.pretrained is not None:
            yield f"methods.{name}.pretrained", variant.network or benchmark.network, variant.pretrained


def problems(benchmark: Benchmark) -> list[Problem]:
    """Contradictions in the networks and in the variants."""
    found = [*_network_problems(benchmark), *_override_problems(benchmark)]
    return found or [*_start_problems(benchmark), *labelling_problems(benchmark)]


def missing_maps(benchmark: Benchmark) -> Iterator[Problem]:
    """Maps that a selection method reads and inference does not store."""
    stored = {"label", *benchmark.inference.maps}
    for name, variant in benchmark.methods.items():
        method = selection_method(name, variant)
        if missing := [map_ for map_ in method.maps if map_ not in stored]:
            text = f"{name} reads {', '.join(missing)}, which is not stored; add it, or remove {name}"
            yield Problem(("inference.maps",), text)


def unknown_classes(benchmark: Benchmark, classes: Sequence[str]) -> Iterator[Problem]:
    """Classes that the settings of a selection method name and that are not among the benchmark's ``classes``."""
    for name, variant in benchmark.methods.items():
        for problem in own_settings(name, variant).unknown_classes(classes):
            yield Problem(tuple(f"methods.{name}.{key}" for key in problem.keys), problem.text)


def _network_problems(benchmark: Benchmark) -> Iterator[Problem]:
    """Unknown networks, and weights that do not fit them."""
    networks = {"network": benchmark.network}
    networks |= {f"methods.{name}.network": it.network for name, it in benchmark.methods.items() if it.network}
    unknown = set()
    for key, network in networks.items():
        if problem := network_problem(network):
            unknown.add(network)
            yield Problem((key,), problem.text)
    for key, network, pretrained in every_pretrained(benchmark):
        if network not in unknown and (problem := pretrained_problem(network, pretrained)):
            yield Problem((key,), problem.text)


def _override_problems(benchmark: Benchmark) -> Iterator[Problem]:
    """Keys and values of `training` that a variant overrides wrongly."""
    for name in benchmark.methods:
        try:
            benchmark.of_rounds(name)
        except ValueError as error:
            yield Problem((), str(error))


def _start_problems(benchmark: Benchmark) -> Iterator[Problem]:
    """Weights that the rounds of a variant cannot start from, or that it names and they never read."""
    for name in benchmark.methods:
        yield from _start_problems_of(benchmark, name)


def _start_problems_of(benchmark: Benchmark, name: str) -> Iterator[Problem]:
    variant, entry, view = benchmark.methods[name], f"methods.{name}", benchmark.of_rounds(name)
    initial = view.training.round.initial
    key = f"{entry}.round.initial" if "initial" in variant.round else "training.round.initial"
    if initial == "pretrained" and view.pretrained is None:
        if view.network == benchmark.network:
            yield Problem((key,), "rounds start from the `pretrained` weights, but pretrained names none")
        else:
            yield Problem(
                (f"{entry}.pretrained",),
                f"rounds start from published weights ({key}), but none of {view.network} are named; name a file, or "
                f"set {entry}.round.initial to `fresh`",
            )
    if initial != "pretrained" and variant.pretrained is not None:
        yield Problem(
            (f"{entry}.pretrained",),
            f"never read, because the rounds start from `{initial}` ({key}); set {entry}.round.initial to `pretrained`",
        )
    start = initial_model(benchmark, name, 1)
    if start is not None and (others := _network(benchmark, start)) != view.network:
        yield Problem(
            (f"{entry}.network",),
            f"{name}-round1 would start from {start!r}, whose weights are those of {others}, not of {view.network}; "
            f"set {entry}.round.initial to `pretrained` ({entry}.pretrained names the file) or `fresh`",
        )


def _network(benchmark: Benchmark, model: str) -> str:
    """The network of a model."""
    name, number = round_of(model)
    return (benchmark.methods[name].network if number else None) or benchmark.network
