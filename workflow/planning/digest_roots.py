"""The modules that the settings choose from the registries: each rule names its own, as roots of its code digest.

A stage that resolves another name from a registry needs it here and in its rule; `tests/workflow/test_imports.py`
compares the digests of a finished chain with the modules that its jobs really imported.
"""

import json
from collections.abc import Callable
from typing import Any, NamedTuple

from esl.data.formats.build import declaration, format_module
from esl.data.label_tables.build import table_modules
from esl.labelling.draws.build import draw_module
from esl.labels.measures.build import measure_module
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.build import method_module
from esl.models.build import network_entry, network_modules
from esl.training.terms.build import term_modules
from esl.training.terms.registry import TERMS
from planning.benchmark import PARTS, Benchmark
from planning.benchmarks import Benchmarks, Wildcards
from planning.rounds import model_before_labels, round_of
from planning.variants import method_of, selection_method


class Roots(NamedTuple):
    """Modules that the settings choose, and facts that a registry states about them."""

    modules: tuple[str, ...]
    facts: str = ""


Choice = Callable[[Wildcards], Roots]


class DigestRoots:
    """The chosen modules of each kind, given the wildcards of a rule."""

    def __init__(self, benchmarks: Benchmarks) -> None:
        self._benchmarks = benchmarks

    def dataset(self, wildcards: Wildcards) -> Roots:
        """The format of a part of the data, and the label tables that its declaration names."""
        config = self._benchmarks.config
        name = getattr(self._benchmarks.of(wildcards), PARTS[wildcards.part].domain).dataset
        tables = table_modules(config.declaration(name) or declaration(name) or {})
        return Roots((format_module(name, name in config.datasets), *tables))

    def network(self, wildcards: Wildcards) -> Roots:
        """The network of the source model and of its kind."""
        return _network(self._benchmarks.of(wildcards))

    def network_of_model(self, wildcards: Wildcards) -> Roots:
        """The network of the model that a rule runs."""
        return _network(self._benchmarks.seen_by(wildcards.model, wildcards))

    def network_of_round(self, wildcards: Wildcards) -> Roots:
        """The network that a round trains."""
        return _network(self._benchmarks.seen_by(wildcards.round, wildcards))

    def term_of_adaptation(self, wildcards: Wildcards) -> Roots:
        """The target term of an adapted source model."""
        return Roots(term_modules(wildcards.adaptation))

    def term_of_round(self, wildcards: Wildcards) -> Roots:
        """The target term of a round, if it has one."""
        adaptation = self._benchmarks.seen_by(wildcards.round, wildcards).training.round.adaptation
        return Roots(term_modules(adaptation) if adaptation in TERMS else ())

    def stored_measures(self, wildcards: Wildcards) -> Roots:
        """The measures whose maps a shard stores; entropy is always counted."""
        maps = {"entropy", *self._benchmarks.of(wildcards).inference.maps} - {"probability"}
        return Roots(tuple(map(measure_module, maps)))

    def every_measure(self, wildcards: Wildcards) -> Roots:
        """All measures, to compare them."""
        return Roots(tuple(map(measure_module, MEASURES)))

    def draw(self, wildcards: Wildcards) -> Roots:
        """The rule that draws images to label."""
        names = {"random", self._benchmarks.of(wildcards).labelling.draw}
        return Roots(tuple(map(draw_module, sorted(names))))

    def network_before_labels(self, wildcards: Wildcards) -> Roots:
        """The network of the model that predicts the annotations to correct."""
        model = model_before_labels(self._benchmarks.of(wildcards))
        return _network(self._benchmarks.seen_by(model, wildcards))

    def draw_for_scores(self, wildcards: Wildcards) -> Roots:
        """The rule that draws images for scores."""
        return Roots((draw_module("random"),))

    def method(self, wildcards: Wildcards) -> Roots:
        """The selection method of a round, and the measure that it cuts."""
        name, _ = round_of(wildcards.round)
        variant = self._benchmarks.seen_by(wildcards.round, wildcards).methods[name]
        return Roots((method_module(method_of(name, variant)), *self.cut_measure(wildcards).modules))

    def cut_measure(self, wildcards: Wildcards) -> Roots:
        """The measure that the selection method of a round cuts; none for a method that keeps nothing."""
        name, _ = round_of(wildcards.round)
        measure = selection_method(name, self._benchmarks.of(wildcards).methods[name]).measure
        return Roots(() if measure is None else (measure_module(measure.name),))


def _network(benchmark: Benchmark) -> Roots:
    """The modules of a network; its arguments are facts: with others it is another network."""
    entry = network_entry(benchmark.network)
    facts: list[Any] = [entry.factory, dict(entry.arguments)]
    modules = network_modules(benchmark.network, pretrained=benchmark.pretrained is not None)
    return Roots(modules, json.dumps(facts, sort_keys=True))
