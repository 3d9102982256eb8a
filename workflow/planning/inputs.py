"""From wildcards to paths and settings: what each rule reads, and in what order models follow each other.

``Plan`` is all that the rules see. Its methods take the ``wildcards`` of a job and return paths, settings as JSON, or
resources.
"""

import re
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol

from esl.data.formats.registry import declaration, format_named
from esl.data.listing import record_of, state
from esl.data.settings import IndexSettings
from esl.errors import InputError
from esl.evaluation.settings import EvaluateSettings
from esl.labels.methods.registry import METHODS
from esl.labels.settings import InferSettings, ThresholdSettings
from esl.models.settings import ComputeSettings
from esl.settings import subset
from esl.training.terms.registry import TERMS
from miniature.settings import LAYOUTS
from planning.benchmark import Benchmark
from planning.config import read_config
from planning.digest import code_digest
from planning.requirements import is_rendered, missing_device, missing_requirements
from planning.roots import chosen_modules
from planning.trainings import (
    adapted_training,
    batch_norm_adaptation,
    oracle_training,
    round_training,
    source_training,
)

Wildcards = Any
"""Anything with the names of a rule's wildcards as attributes."""

PARTS = ("source", "target_train", "target_val")
"""The parts of a benchmark's data."""

ROUND = rf"(?:{'|'.join(METHODS)})-round[1-9]\d*"
"""The folder of a self-training round: its method and its number, from 1."""

ADAPTED = "adapted"
"""The folder of the source model with the batch-norm statistics of the target (`adaptation: abn`)."""

LABELS: dict[str, Literal["required", "optional", "all_or_none"]] = {
    "source": "required",
    "target_train": "optional",
    "target_val": "all_or_none",
}
"""What an index demands of the labels of each part."""


class Run(Protocol):
    """What planning asks of Snakemake's workflow: where jobs run, and whether they do."""

    is_main_process: bool

    @property
    def non_local_exec_or_dryrun(self) -> bool: ...


class Plan:
    """A checked config, and what its benchmarks ask of each rule.

    Mistakes end the program with every one of them, a line each, before any job starts.
    """

    def __init__(self, content: Mapping[str, Any], run: Run) -> None:
        try:
            self.config = read_config(content)
        except InputError as error:
            sys.exit(str(error))
        self._run = run
        self._checked: set[str] = set()

    # ------------------------------------------------------------------------------------------ names of files

    @property
    def benchmarks(self) -> list[str]:
        """The names of all benchmarks."""
        return [*self.config.benchmarks]

    @property
    def benchmark_pattern(self) -> str:
        """Every benchmark, also with a seed of its own: ``NAME-seedK``."""
        return rf"(?:{'|'.join(self.benchmarks)})(?:-seed\d+)?"

    layout_pattern = "|".join(LAYOUTS)
    round_pattern = ROUND
    adaptation_pattern = "|".join(TERMS)
    trained_pattern = f"source|{'|'.join(TERMS)}|oracle|{ROUND}"
    model_pattern = f"{ADAPTED}|{trained_pattern}"

    # ------------------------------------------------------------------------------------------ settings

    def settings_of(self, wildcards: Wildcards) -> Benchmark:
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

    def code(self, module: str) -> Callable[[Wildcards], str]:
        """A function of the wildcards: the digest of a stage's code and of the modules that the settings choose."""

        def digest(wildcards: Wildcards) -> str:
            if not hasattr(wildcards, "benchmark"):
                return code_digest(module)
            chosen = chosen_modules(module, self.settings_of(wildcards), wildcards, self.config)
            return code_digest(module, *sorted(set(chosen)))

        return digest

    @property
    def miniature_settings(self) -> str:
        """The settings of the renderer."""
        return self.config.miniature.canonical()

    def resolved_settings(self, wildcards: Wildcards) -> str:
        """Every setting of the benchmark, defaults included."""
        return self.settings_of(wildcards).model_dump_json()

    def index_settings(self, wildcards: Wildcards) -> str:
        """How one part of the data is read and checked."""
        return self._index_settings(wildcards).canonical()

    def _index_settings(self, wildcards: Wildcards) -> IndexSettings:
        benchmark = self.settings_of(wildcards)
        domain, _, split = wildcards.part.partition("_")
        data: Any = getattr(benchmark, domain)
        return IndexSettings(
            key=f"benchmarks.{wildcards.benchmark}.{domain}.root",
            root=data.root,
            dataset=data.dataset,
            declaration=self.config.declaration(data.dataset) or declaration(data.dataset),
            split=getattr(data, f"{split}_split") if split else data.split,
            class_set=self.config.class_set(benchmark.class_set),
            labels=LABELS[wildcards.part],
            mismatched_labels=data.mismatched_labels,
            missing_labels=getattr(data, "missing_labels", "error"),
        )

    def training_description(self, wildcards: Wildcards) -> str:
        """Everything that decides the training of the model ``trained``, apart from its inputs."""
        return self._training(wildcards, wildcards.trained)

    def training_settings(self, wildcards: Wildcards, output: Any) -> str:
        """The same for a training job, whose model is the folder of its output."""
        return self._training(wildcards, Path(output[0]).parent.name)

    def _training(self, wildcards: Wildcards, model: str) -> str:
        benchmark = self.settings_of(wildcards)
        if model == "source":
            return source_training(benchmark).canonical()
        if model == "oracle":
            return oracle_training(benchmark).canonical()
        return (adapted_training if model in TERMS else round_training)(benchmark).canonical()

    def batch_norm_adaptation(self, wildcards: Wildcards) -> str:
        """The pass over the target images that replaces the statistics of batch norm."""
        return batch_norm_adaptation(self.settings_of(wildcards)).canonical()

    def inference_settings(self, wildcards: Wildcards) -> str:
        """How a teacher's maps are made."""
        benchmark = self.settings_of(wildcards)
        return InferSettings(
            size=benchmark.target.size,
            batch_size=benchmark.inference.batch_size,
            maps=benchmark.inference.maps,
            compute=subset(benchmark.compute, ComputeSettings),
        ).canonical()

    def threshold_settings(self, wildcards: Wildcards) -> str:
        """A round's method, its number and the method's own settings."""
        method, number = _round(wildcards)
        settings = self.settings_of(wildcards).methods.get(method)
        own = {} if settings is None else settings.model_dump(mode="json", exclude_defaults=True, exclude={"rounds"})
        return ThresholdSettings(method=method, round=number, parameters=own).canonical()

    def gate_settings(self, wildcards: Wildcards) -> str:
        """What the gate tolerates."""
        return self.settings_of(wildcards).gate.canonical()

    def evaluation_settings(self, wildcards: Wildcards) -> str:
        """How a model is evaluated, and what to call the data: the miniature by that name."""
        benchmark = self.settings_of(wildcards)
        return EvaluateSettings(
            size=benchmark.target.size,
            batch_size=benchmark.inference.batch_size,
            compute=subset(benchmark.compute, ComputeSettings),
            data="miniature" if is_rendered(Path(benchmark.target.root)) else None,
        ).canonical()

    # ------------------------------------------------------------------------------------------ inputs

    def rendering(self, wildcards: Wildcards) -> list[str]:
        """The manifest of the miniature where the data are it; real datasets need nothing made."""
        root = self._root(wildcards)
        return [f"{root}.json"] if is_rendered(root) else []

    def data_state(self, wildcards: Wildcards) -> str:
        """A token that changes when files of this part of the data have changed since they were indexed."""
        settings = self._index_settings(wildcards)
        index = Path(f"results/{wildcards.benchmark}/data/{wildcards.part}.json")
        format_ = format_named(settings.dataset, settings.declaration)
        return state(Path(settings.root), format_, settings.split, record_of(index))

    def _root(self, wildcards: Wildcards) -> Path:
        domain = wildcards.part.partition("_")[0]
        return Path(getattr(self.settings_of(wildcards), domain).root)

    def every_index(self, wildcards: Wildcards) -> list[str]:
        """All parts of the data: checked before anything trains."""
        self.settings_of(wildcards)
        return [f"results/{wildcards.benchmark}/data/{part}.json" for part in PARTS]

    def pretrained_weights(self, wildcards: Wildcards) -> list[str]:
        """The file of published weights that trainings start from; none for fresh ones or for torchvision's own."""
        weights = self.settings_of(wildcards).pretrained
        return [] if weights in (None, "torchvision") else [str(weights)]

    def pretrained_weights_of_rounds(self, wildcards: Wildcards) -> list[str]:
        """The same for a round, where it starts from them."""
        initial = self.settings_of(wildcards).training.round.initial
        return self.pretrained_weights(wildcards) if initial == "pretrained" else []

    def initial_weights(self, wildcards: Wildcards) -> list[str]:
        """The checkpoint that a round starts from: the start of rounds, or its own teacher."""
        initial = self.settings_of(wildcards).training.round.initial
        if initial == "pretrained":
            return []
        model = self._start_of_rounds(wildcards) if initial == "source" else self._teacher(wildcards)
        return [f"results/{wildcards.benchmark}/{model}/checkpoint.pt"]

    def teacher_maps(self, wildcards: Wildcards) -> list[str]:
        """Every shard of the teacher of a round."""
        shards = self.settings_of(wildcards).inference.shards
        folder = f"results/{wildcards.benchmark}/{self._teacher(wildcards)}/maps"
        return [f"{folder}/{number + 1}-of-{shards}.h5" for number in range(shards)]

    def gate(self, wildcards: Wildcards) -> list[str]:
        """The verdict that a round waits for; none where the gate is ignored."""
        if self.settings_of(wildcards).gate.action == "ignore":
            return []
        return [f"results/{wildcards.benchmark}/{wildcards.round}/gate.json"]

    def previous_thresholds(self, wildcards: Wildcards) -> list[str]:
        """The thresholds of the same method's previous round; a first round has none."""
        method, number = _round(wildcards)
        return [f"results/{wildcards.benchmark}/{method}-round{number - 1}/thresholds.json"] if number > 1 else []

    def scores(self, wildcards: Wildcards) -> list[str]:
        """miou.json of every model, in the order of the summary."""
        return [f"results/{wildcards.benchmark}/{model}/miou.json" for model in self.models(wildcards)]

    def best_snapshots(self, wildcards: Wildcards) -> list[str]:
        """The choice among the snapshots of every model that was trained; none unless the config asks for snapshots."""
        if not self.settings_of(wildcards).training.snapshot_every:
            return []
        trained = (model for model in self.models(wildcards) if model != ADAPTED)
        return [f"results/{wildcards.benchmark}/{model}/best_snapshot.json" for model in trained]

    def manifests(self, wildcards: Wildcards) -> list[str]:
        """The pseudo-label manifests of all rounds that keep anything."""
        rounds = (model for model in self.models(wildcards) if re.fullmatch(ROUND, model))
        keeping = (round_ for round_ in rounds if not round_.startswith("control-"))
        return [f"results/{wildcards.benchmark}/{round_}/pseudo_labels.json" for round_ in keeping]

    def scores_of_seeds(self, wildcards: Wildcards) -> list[str]:
        """The benchmark's miou.json at every seed of `reproduce`."""
        return [f"results/{wildcards.benchmark}-seed{seed}/miou.json" for seed in self.config.reproduce]

    # ------------------------------------------------------------------------------------------ words of a command

    def training_inputs(self, wildcards: Wildcards, input: Any) -> str:  # noqa: A002
        """The flags of what a training reads, from the rule's named inputs."""
        named = {name: input.get(name) for name in ("index", "target", "pseudo_labels", "initial")}
        renamed = {"target": "target_index"}
        return _flags({renamed.get(name, name): path for name, path in named.items() if path})

    def previous_flag(self, wildcards: Wildcards, input: Any) -> str:  # noqa: A002
        """The flag of the previous round's thresholds, if there are any."""
        return _flags({"previous": input.previous}) if input.previous else ""

    def best_flag(self, wildcards: Wildcards, input: Any) -> str:  # noqa: A002
        """The flag of the best snapshots, if there are any."""
        return f"--best {shlex.join(input.best)}" if input.best else ""

    @property
    def seeds(self) -> str:
        """The seeds of `reproduce`."""
        return " ".join(map(str, self.config.reproduce))

    # ------------------------------------------------------------------------------------------ resources

    def gpus(self, wildcards: Wildcards) -> int:
        """How many GPUs a job needs."""
        return 0 if self.settings_of(wildcards).compute.accelerator == "cpu" else 1

    def training_threads(self, wildcards: Wildcards) -> int:
        """The threads of a training: where a GPU computes, one for each process that reads images, and two more."""
        compute = self.settings_of(wildcards).compute
        return 2 if compute.accelerator == "cpu" else 2 + 2 * compute.workers

    def launcher(self, wildcards: Wildcards, resources: Any) -> str:
        """What starts a training: nothing, or, with the resource ``mpi``, a process per GPU on ``nodes`` nodes."""
        starter = resources.get("mpi")
        if not starter:
            return ""
        nodes = resources.get("nodes", 1)
        return f"{starter} --nodes={nodes} --ntasks-per-node={max(resources.gpu // nodes, 1)} "

    # ------------------------------------------------------------------------------------------ models

    def models(self, wildcards: Wildcards) -> list[str]:
        """The folders of every model of a benchmark, in the order of the summary."""
        return [*self._models(wildcards)]

    def _models(self, wildcards: Wildcards) -> Iterator[str]:
        benchmark = self.settings_of(wildcards)
        yield "source"
        if (start := self._start_of_rounds(wildcards)) != "source":
            yield start
        for method, settings in benchmark.methods.items():
            yield from (f"{method}-round{number + 1}" for number in range(settings.rounds))
        if benchmark.oracle:
            yield "oracle"

    def _start_of_rounds(self, wildcards: Wildcards) -> str:
        """The model that teaches the first round: the source model, or that of the config's adaptation."""
        adaptation: str = self.settings_of(wildcards).training.source.adaptation
        return {"none": "source", "abn": ADAPTED}.get(adaptation, adaptation)

    def _teacher(self, wildcards: Wildcards) -> str:
        """The model before a round."""
        method, number = _round(wildcards)
        return self._start_of_rounds(wildcards) if number == 1 else f"{method}-round{number - 1}"


def _round(wildcards: Wildcards) -> tuple[str, int]:
    """The method and the number of a round."""
    method, _, number = wildcards.round.rpartition("-round")
    return method, int(number)


def _flags(values: Mapping[str, Any]) -> str:
    """Flag names and values as shell words."""
    return " ".join(f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in values.items())
