"""The config: the settings classes of every package composed into one tree, and all mistakes in it, at once."""

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator

from esl.classes import ClassSet
from esl.data.class_sets import CLASS_SETS, build_class_set
from esl.data.config import ClassDeclaration, DatasetDeclaration
from esl.data.formats.build import format_names
from esl.data.formats.declared import build_declared_format
from esl.data.formats.label_names import unknown_members, unknown_names
from esl.errors import InputError, Problem, dotted, explanations, suggestion
from esl.settings import Settings, without_nulls
from miniature.settings import MiniatureSettings
from planning.benchmark import Benchmark
from planning.rounds import missing_maps, problems, unknown_classes
from planning.trainings import training_conflicts
from planning.variants import LONGEST_NAME

Name = Annotated[str, Field(pattern=r"^[a-z0-9_]+$", max_length=LONGEST_NAME)]
"""The name of a benchmark, a dataset or a class set: lower-case letters, digits and `_`."""


class Config(Settings):
    """The config: the miniature, declared datasets and class sets, and the benchmarks."""

    miniature: MiniatureSettings = Field(
        MiniatureSettings(),
        description="The street scenes that the project renders itself; a benchmark uses them if a root is "
        "`data/miniature/{seed}/` followed by a source (`gta5`, `synthia`, or `varied`, which has GTA5's layout and "
        "more kinds of streets and light) or a target (`cityscapes`, `mapillary`).",
    )
    reproduce: Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=2)] = Field(
        [101, 102, 103],
        description="Seeds over which the target `reproduce` repeats every benchmark, each with its own rendering and "
        "training seed.",
    )
    datasets: Annotated[dict[Name, DatasetDeclaration], BeforeValidator(without_nulls)] = Field(
        {}, description="Datasets of your own, by the name that `dataset` then takes."
    )
    class_sets: Annotated[dict[Name, dict[str, ClassDeclaration]], BeforeValidator(without_nulls)] = Field(
        {}, description="Class sets of your own, by the name that `class_set` then takes."
    )
    benchmarks: Annotated[dict[Name, Benchmark], BeforeValidator(without_nulls)] = Field(
        min_length=1, description="Every benchmark by name; `results/{name}/miou.json` is its result."
    )

    @field_validator("reproduce")
    @classmethod
    def _unique(cls, value: list[int]) -> list[int]:
        if len(set(value)) != len(value):
            raise ValueError("expected every seed once")
        return value

    @cached_property
    def own_class_sets(self) -> dict[str, ClassSet]:
        """The class sets that the config declares."""
        return {name: build_class_set(name, _plain(entry)) for name, entry in self.class_sets.items()}

    def class_set(self, name: str) -> ClassSet:
        """A class set by name: one of the config's own, or a shipped one."""
        return self.own_class_sets[name] if name in self.class_sets else CLASS_SETS[name]

    def declaration(self, name: str) -> dict[str, Any] | None:
        """The config's declaration of a dataset; ``None`` for a shipped one."""
        entry = self.datasets.get(name)
        return None if entry is None else entry.model_dump(mode="json", exclude_unset=True)


def read_config(content: Mapping[str, Any]) -> Config:
    """The checked config, from the content that Snakemake has merged from its files.

    Raises:
        InputError: names every mistake by its key, with the likely correction.
    """
    if mistakes := list(_odd_keys(content)):
        raise InputError(_report(mistakes))
    try:
        config = Config.model_validate_json(json.dumps(content, default=str))
    except ValidationError as error:
        raise InputError(_report(_corrected(error))) from None
    if mistakes := list(_contradictions(config)):
        raise InputError(_report(mistakes))
    return config


def _report(mistakes: list[str]) -> str:
    return "config: " + "\nconfig: ".join(mistakes)


def _odd_keys(content: Mapping[Any, Any], path: tuple[str, ...] = ()) -> Iterator[str]:
    """Keys that YAML does not read as text, apart from the ids of labels, which are numbers."""
    for key, value in content.items():
        if not isinstance(key, str) and path[-1:] != ("ids",):
            yield f"{dotted((*path, key))}: keys must be text; put {key!r} in quotation marks"
        if isinstance(value, Mapping):
            yield from _odd_keys(value, (*path, str(key)))
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, Mapping):
                    yield from _odd_keys(item, (*path, str(key)))


def _corrected(error: ValidationError) -> list[str]:
    """The mistakes of a config by key; for an unknown key, the likely one."""
    lines = []
    for entry, line in zip(error.errors(include_url=False), explanations(error), strict=True):
        if entry["type"] == "extra_forbidden":
            *parents, key = (str(part) for part in entry["loc"])
            lines.append(f"{dotted(parents)}: unknown key {key!r}{suggestion(key, _keys_at(tuple(parents)))}")
        elif entry["type"] == "missing":
            lines.append(f"{dotted(entry['loc'])}: missing; this key has no default")
        else:
            lines.append(line)
    return lines


def _keys_at(path: tuple[str, ...]) -> list[str]:
    """The keys that the settings class at a path of the config takes."""
    current: Any = Config
    for part in path:
        if isinstance(current, type) and issubclass(current, BaseModel):
            current = current.model_fields[part].annotation if part in current.model_fields else None
        else:
            current = get_args(current)[-1] if get_args(current) else None
        while get_args(current) and getattr(current, "__metadata__", None):
            current = get_args(current)[0]
    return [*current.model_fields] if isinstance(current, type) and issubclass(current, BaseModel) else []


def _plain(entry: Mapping[str, ClassDeclaration]) -> dict[str, dict[str, Any]]:
    return {name: item.model_dump(mode="json", exclude_unset=True) for name, item in entry.items()}


def _contradictions(config: Config) -> Iterator[str]:
    """Settings that are valid each for itself but contradict each other."""
    yield from map(str, _declaration_problems(config))
    for name, benchmark in config.benchmarks.items():
        for problem in _benchmark_problems(config, benchmark):
            yield f"benchmarks.{name}.{problem}"


def _declaration_problems(config: Config) -> Iterator[Problem]:
    """Mistakes in datasets and class sets of the user's own."""
    shipped: dict[str, list[str]] = {"datasets": [*format_names()], "class_sets": [*CLASS_SETS]}
    for kind, names in shipped.items():
        for name in set(getattr(config, kind)) & set(names):
            yield Problem((f"{kind}.{name}",), "a shipped one has this name; choose another")
    try:
        own = [*config.own_class_sets.values()]
        formats = {name: build_declared_format(name, config.declaration(name) or {}) for name in config.datasets}
    except InputError as error:
        yield Problem((), str(error))
        return
    for class_set in own:
        for label in unknown_members(class_set, [*formats.values()]):
            yield Problem((f"class_sets.{class_set.name}",), f"no dataset has the label {label}")
    members = tuple(names for class_set in [*CLASS_SETS.values(), *own] for names in class_set.members)
    for name, format_ in formats.items():
        for label in unknown_names(format_, members):
            yield Problem((f"datasets.{name}",), f"no class set lists the label {label} (null ignores an id)")


def _benchmark_problems(config: Config, benchmark: Benchmark) -> Iterator[Problem]:
    """Contradictions in one benchmark, by keys below it."""
    known_sets = [*CLASS_SETS, *config.class_sets]
    if benchmark.class_set not in known_sets:
        unknown = f"unknown class set {benchmark.class_set!r}{suggestion(benchmark.class_set, known_sets)}"
        yield Problem(("class_set",), unknown)
    known_formats = [*format_names(), *config.datasets]
    for domain, data in (("source", benchmark.source), ("target", benchmark.target)):
        if data.dataset not in known_formats:
            unknown = f"unknown dataset {data.dataset!r}{suggestion(data.dataset, known_formats)}"
            yield Problem((f"{domain}.dataset",), unknown)
    if benchmark.class_set in known_sets:
        yield from unknown_classes(benchmark, config.class_set(benchmark.class_set).classes)
    yield from missing_maps(benchmark)
    yield from problems(benchmark) or training_conflicts(benchmark)
