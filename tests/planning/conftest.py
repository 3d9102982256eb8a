"""A plan of a config, without Snakemake."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from planning.benchmarks import Benchmarks
from planning.digest_roots import DigestRoots
from planning.drawings import Drawings
from planning.inputs import Inputs
from planning.needs import Needs
from planning.params import Params

from tests.configs import SMALL, merged, shipped

DRY_RUN = SimpleNamespace(is_main_process=True, non_local_exec_or_dryrun=True)
MakePlan = Callable[..., Any]


@pytest.fixture
def make_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlan:
    """Makes the objects that rules use from changes to the shipped config with SMALL over it, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def make(*changes: dict[str, Any], run: Any = DRY_RUN) -> Any:
        benchmarks = Benchmarks(merged(shipped(), SMALL, *changes), run)
        inputs = Inputs(benchmarks)
        return SimpleNamespace(
            benchmarks=benchmarks,
            inputs=inputs,
            params=Params(benchmarks),
            needs=Needs(benchmarks),
            roots=DigestRoots(benchmarks),
            drawings=Drawings(benchmarks, inputs),
        )

    return make


def job(benchmark: str = "gta2city", **wildcards: str) -> Any:
    """The wildcards of a job."""
    return SimpleNamespace(benchmark=benchmark, **wildcards)


@pytest.fixture(name="job")
def _job() -> Callable[..., Any]:
    return job
