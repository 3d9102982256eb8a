"""The settings of the index stage for one part of a benchmark's data."""

from types import SimpleNamespace
from typing import Any

from esl.data.formats.build import declaration
from esl.data.settings import IndexSettings, LabelChecks
from planning.benchmark import PARTS
from planning.benchmarks import Benchmarks


def index_settings(benchmarks: Benchmarks, name: str, part_name: str) -> IndexSettings:
    """The settings that read and check one part of the data of the benchmark ``name``."""
    benchmark, part = benchmarks.of(SimpleNamespace(benchmark=name)), PARTS[part_name]
    data: Any = getattr(benchmark, part.domain)
    return IndexSettings(
        key=f"benchmarks.{name}.{part.domain}.root",
        root=data.root,
        dataset=data.dataset,
        declaration=benchmarks.config.declaration(data.dataset) or declaration(data.dataset),
        split=getattr(data, part.split),
        class_set=benchmarks.config.class_set(benchmark.class_set),
        labels=part.labels,
        **data.model_dump(include={*LabelChecks.model_fields}),
    )
