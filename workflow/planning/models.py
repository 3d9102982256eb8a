"""The benchmarks of a config, and the models of each: their order, and which one teaches which."""

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from esl.errors import InputError
from esl.training.settings import WITHOUT_TERM, start_of_rounds
from esl.training.terms.registry import TERMS
from miniature.settings import LAYOUTS
from planning.benchmark import Benchmark
from planning.config import read_config
from planning.parts import PARTS
from planning.requirements import missing_device, missing_requirements
from planning.rounds import round_of, rounds

Wildcards = Any
"""Anything with the names of a rule's wildcards as attributes."""

ADAPTED = WITHOUT_TERM["abn"]
"""The folder of the source model with the batch-norm statistics of the target (`adaptation: abn`)."""


class Run(Protocol):
    """What planning needs to know about Snakemake's run: where jobs run, and whether they do."""

    is_main_process: bool

    @property
    def non_local_exec_or_dryrun(self) -> bool: ...


class Models:
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
    def benchmarks(self) -> list[str]:
        """The names of all benchmarks."""
        return [*self.config.benchmarks]

    @property
    def benchmark_pattern(self) -> str:
        """Every benchmark, also with a seed of its own: ``NAME-seedK``."""
        return _pattern(self.benchmarks)

    @property
    def labelled_at_once_pattern(self) -> str:
        """Those whose pseudo-labels are written by one job."""
        return _pattern([name for name, it in self.config.benchmarks.items() if not it.inference.images_per_shard])

    @property
    def labelled_by_shard_pattern(self) -> str:
        """Those whose pseudo-labels are written by a job for each shard."""
        return _pattern([name for name, it in self.config.benchmarks.items() if it.inference.images_per_shard])

    layout_pattern = "|".join(LAYOUTS)
    part_pattern = "|".join(PARTS)
    adaptation_pattern = "|".join(TERMS)

    @property
    def round_pattern(self) -> str:
        """Every round, of all entries of `methods` in all benchmarks."""
        names = dict.fromkeys(name for benchmark in self.config.benchmarks.values() for name in benchmark.methods)
        return rf"(?:{'|'.join(names)})-round[1-9]\d*"

    @property
    def model_pattern(self) -> str:
        """Every model."""
        return f"source|{ADAPTED}|{'|'.join(TERMS)}|oracle|{self.round_pattern}"

    def settings_of(self, wildcards: Wildcards) -> Benchmark:
        """The settings of a benchmark; where the wildcards name a round, as that round sees them."""
        benchmark = self.benchmark_of(wildcards)
        model = str(getattr(wildcards, "round", None) or getattr(wildcards, "model", ""))
        name, number = round_of(model)
        if number and name not in benchmark.methods:
            sys.exit(f"error: {model}: benchmarks.{wildcards.benchmark}.methods has no entry {name!r}")
        return benchmark.of_rounds(name) if number else benchmark

    def benchmark_of(self, wildcards: Wildcards) -> Benchmark:
        """The settings of a benchmark, with its seed in roots; checked once for everything that this machine lacks."""
        name = str(wildcards.benchmark)
        benchmark = self._benchmark(name)
        if name not in self._checked:
            self._checked.add(name)
            problems = [*missing_requirements(name, benchmark, Path("results", name))]
            if self._run.is_main_process and not self._run.non_local_exec_or_dryrun:
                problems += missing_device(name, benchmark)
            if problems:
                sys.exit("\n".join(f"error: {problem}" for problem in problems))
        return benchmark

    def _benchmark(self, name: str) -> Benchmark:
        base, _, seed = (name, "", "") if name in self.config.benchmarks else name.rpartition("-seed")
        benchmark = self.config.benchmarks[base]
        number = int(seed) if seed else benchmark.seed
        roots = {
            domain: data.model_copy(update={"root": data.root.replace("{seed}", str(number))})
            for domain, data in (("source", benchmark.source), ("target", benchmark.target))
        }
        return benchmark.model_copy(update={"seed": number, **roots})

    def setting(self, path: str) -> Callable[[Wildcards], Any]:
        """A function of the wildcards: the value at a dotted ``path`` in the settings of the benchmark."""

        def value(wildcards: Wildcards) -> Any:
            current: Any = self.settings_of(wildcards)
            for key in path.split("."):
                current = getattr(current, key)
            return current

        return value

    def models(self, wildcards: Wildcards) -> list[str]:
        """The folders of every model of a benchmark, in the order of the summary."""
        return [*self._models(wildcards)]

    def _models(self, wildcards: Wildcards) -> Iterator[str]:
        benchmark = self.benchmark_of(wildcards)
        yield "source"
        if (start := start_of_rounds(benchmark.training.source.adaptation)) != "source":
            yield start
        yield from (f"{name}-round{number}" for name, number in rounds(benchmark))
        if benchmark.oracle:
            yield "oracle"


def _pattern(benchmarks: Sequence[str]) -> str:
    """The names of benchmarks, also with a seed; of none, what fits nothing."""
    return rf"(?:{'|'.join(benchmarks)})(?:-seed\d+)?" if benchmarks else r"(?!)"
