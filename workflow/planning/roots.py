"""The modules that the settings choose from the registries: they join the digest of the stages that use them."""

import json
from collections.abc import Iterator
from typing import Any

from esl.data.formats.registry import declaration, format_module
from esl.data.label_tables.registry import table_modules
from esl.labels.measures.registry import MEASURES, measure_module
from esl.labels.methods.registry import method_module
from esl.models.registry import network_entry, network_modules
from esl.training.terms.registry import TERMS, term_modules
from planning.benchmark import Benchmark
from planning.config import Config
from planning.parts import PARTS
from planning.rounds import round_of
from planning.variants import method_of, own_settings

NETWORK_STAGES = ("train", "adapt", "infer", "evaluate", "predict", "best_snapshot")


def chosen_modules(module: str, benchmark: Benchmark, wildcards: Any, config: Config) -> Iterator[str]:
    """The modules that a job of the stage ``module`` resolves by name, given its ``wildcards``."""
    stage = module.rpartition(".")[2]
    if stage == "index":
        data = getattr(benchmark, PARTS[wildcards.part].domain)
        yield format_module(data.dataset, data.dataset in config.datasets)
        yield from table_modules(config.declaration(data.dataset) or declaration(data.dataset) or {})
    if stage in NETWORK_STAGES:
        yield from network_modules(benchmark.network, pretrained=benchmark.pretrained is not None)
    if stage == "train" and (term := _term(benchmark, wildcards)) is not None:
        yield from term_modules(term)
    if stage in ("infer", "pseudo_label", "viewer"):
        maps = {"entropy", *benchmark.inference.maps} - {"probability"}
        yield from (measure_module(map_) for map_ in (MEASURES if hasattr(wildcards, "views") else maps))
    if stage == "confidence":
        yield from map(measure_module, MEASURES)
    if stage in ("threshold", "label_shard", "pseudo_label"):
        name, _ = round_of(wildcards.round)
        variant = benchmark.methods[name]
        yield method_module(method_of(name, variant))
        if measure := getattr(own_settings(name, variant), "measure", None):
            yield measure_module(measure)


def network_facts(module: str, benchmark: Benchmark) -> str:
    """What the registry hands to the network of a stage that runs one: a network whose arguments change is another."""
    if module.rpartition(".")[2] not in NETWORK_STAGES:
        return ""
    entry = network_entry(benchmark.network)
    return json.dumps([entry.factory, dict(entry.arguments)], sort_keys=True)


def _term(benchmark: Benchmark, wildcards: Any) -> str | None:
    """The target term of a training; ``None`` where there is none."""
    if hasattr(wildcards, "round"):
        adaptation = benchmark.training.round.adaptation
        return adaptation if adaptation in TERMS else None
    return getattr(wildcards, "adaptation", None)
