"""The benchmarks of a config, and the models of each in the order of the summary."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Protocol

from esl.data.formats.build import declaration
from esl.data.settings import IndexSettings, LabelChecks
from esl.errors import InputError
from esl.labelling.settings import OWN
from esl.training.config import WITHOUT_TERM, start_of_rounds
from esl.training.terms.registry import TERMS
from miniature.settings import LAYOUTS
from planning.benchmark import PARTS, Benchmark
from planning.config import read_config
from planning.labels import label_problems
from planning.requirements import missing_device, missing_requirements
from planning.rounds import round_of, rounds

Wildcards = Any
"""Anything with the names of a rule's wildcards as attributes."""

ADAPTED = WITHOUT_TERM["abn"]
"""The folder of the source model with the batch-norm statistics of the target (`adaptation: abn`)."""


class Run(Protocol):
    """Facts about Snakemake's run: where jobs run, and whether they do."""

    is_main_process: bool

    @property
    def non_local_exec_or_dryrun(self) -> bool: ...


class Benchmarks:
    """The benchmarks of a checked config.

    Mistakes, and requirements that are missing, end the program before any job starts, with a line for each.
    """

    def __init__(self, content: Mapping[str, Any], run: Run) -> None:
        try:
            self.config = read_config(content)
        except InputError as error:
            sys.exit(str(error))
        self._run = run
        self._checked: set[str] = set()

    @property
    def names(self) -> list[str]:
        """The names of all benchmarks."""
        return [*self.config.benchmarks]

    @property
    def pattern(self) -> str:
        """Every benchmark, also with a seed of its own: ``NAME-seedK``."""
        return _pattern(self.names)

    @property
    def pattern_labelled_at_once(self) -> str:
        """The benchmarks whose pseudo-labels are written by one job."""
        return _pattern([name for name, it in self.config.benchmarks.items() if not it.inference.images_per_shard])

    @property
    def pattern_labelled_by_shard(self) -> str:
        """The benchmarks whose pseudo-labels are written by a job for each shard."""
        return _pattern([name for name, it in self.config.benchmarks.items() if it.inference.images_per_shard])

    @property
    def pattern_with_own_labels(self) -> str:
        """The benchmarks that train on labels of the target's own dataset."""
        return _pattern([name for name, it in self.config.benchmarks.items() if it.target.labels == OWN])

    @property
    def pattern_with_returned_labels(self) -> str:
        """The benchmarks whose target labels come from a labelling tool."""
        return _pattern([name for name, it in self.config.benchmarks.items() if it.target.labels not in (None, OWN)])

    layout_pattern = "|".join(LAYOUTS)
    part_pattern = "|".join(PARTS)
    adaptation_pattern = "|".join(TERMS)

    @property
    def round_pattern(self) -> str:
        """Every round, of all variants in all benchmarks."""
        names = dict.fromkeys(name for benchmark in self.config.benchmarks.values() for name in benchmark.methods)
        return rf"(?:{'|'.join(names)})-round[1-9]\d*"

    @property
    def model_pattern(self) -> str:
        """Every model."""
        return f"source|{ADAPTED}|{'|'.join(TERMS)}|oracle|{self.round_pattern}"

    def of(self, wildcards: Wildcards) -> Benchmark:
        """The settings of a benchmark, with its seed in roots; checked once for everything that this machine lacks."""
        name = str(wildcards.benchmark)
        benchmark = self._benchmark(name)
        if name not in self._checked:
            self._checked.add(name)
            problems = [*missing_requirements(name, benchmark, Path("results", name))]
            problems += (
                [] if problems else label_problems(name, benchmark, partial(self._index_settings, name, benchmark))
            )
            if self._run.is_main_process and not self._run.non_local_exec_or_dryrun:
                problems += missing_device(name, benchmark)
            if problems:
                sys.exit("\n".join(f"error: {problem}" for problem in problems))
        return benchmark

    def seen_by(self, model: str, wildcards: Wildcards) -> Benchmark:
        """The settings of a benchmark as ``model`` sees them: a round with the network, sizes and training of its own.

        A round of a variant that the benchmark does not have ends the program.
        """
        benchmark = self.of(wildcards)
        name, number = round_of(model)
        if number and name not in benchmark.methods:
            sys.exit(f"error: {model}: benchmarks.{wildcards.benchmark}.methods has no variant {name!r}")
        return benchmark.of_rounds(name) if number else benchmark

    def _benchmark(self, name: str) -> Benchmark:
        base, _, seed = (name, "", "") if name in self.config.benchmarks else name.rpartition("-seed")
        benchmark = self.config.benchmarks[base]
        number = int(seed) if seed else benchmark.seed
        roots = {
            domain: data.model_copy(update={"root": data.root.replace("{seed}", str(number))})
            for domain, data in (("source", benchmark.source), ("target", benchmark.target))
        }
        return benchmark.model_copy(update={"seed": number, **roots})

    def index_settings(self, name: str, part_name: str) -> IndexSettings:
        """The settings that read and check one part of the data of the benchmark ``name``."""
        return self._index_settings(name, self.of(SimpleNamespace(benchmark=name)), part_name)

    def _index_settings(self, name: str, benchmark: Benchmark, part_name: str) -> IndexSettings:
        part = PARTS[part_name]
        data: Any = getattr(benchmark, part.domain)
        return IndexSettings(
            key=f"benchmarks.{name}.{part.domain}.root",
            root=data.root,
            dataset=data.dataset,
            declaration=self.config.declaration(data.dataset) or declaration(data.dataset),
            split=getattr(data, part.split),
            class_set=self.config.class_set(benchmark.class_set),
            labels=part.labels,
            **data.model_dump(include={*LabelChecks.model_fields}),
        )

    def models(self, wildcards: Wildcards) -> list[str]:
        """The folders of every model of a benchmark, in the order of the summary."""
        return [*_models(self.of(wildcards))]

    def trained_models(self, wildcards: Wildcards) -> list[str]:
        """The models that have a training, with a log of it."""
        return [model for model in self.models(wildcards) if model != ADAPTED]


def _models(benchmark: Benchmark) -> Iterator[str]:
    yield "source"
    if (start := start_of_rounds(benchmark.training.source.adaptation)) != "source":
        yield start
    yield from (f"{name}-round{number}" for name, number in rounds(benchmark))
    if benchmark.oracle:
        yield "oracle"


def _pattern(benchmarks: Sequence[str]) -> str:
    """The names of benchmarks, also with a seed; without any name, a pattern that fits nothing."""
    return rf"(?:{'|'.join(benchmarks)})(?:-seed\d+)?" if benchmarks else r"(?!)"
