"""A plan of a config, without Snakemake."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from planning.inputs import Plan

from tests.configs import SMALL, merged, shipped

DRY_RUN = SimpleNamespace(is_main_process=True, non_local_exec_or_dryrun=True)
MakePlan = Callable[..., Plan]


@pytest.fixture
def make_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakePlan:
    """A function of changes to the shipped config with SMALL over it: its plan, in an empty working folder."""
    monkeypatch.chdir(tmp_path)

    def make(*changes: dict[str, Any], run: Any = DRY_RUN) -> Plan:
        return Plan(merged(shipped(), SMALL, *changes), run)

    return make


def job(benchmark: str = "gta2city", **wildcards: str) -> Any:
    """The wildcards of a job."""
    return SimpleNamespace(benchmark=benchmark, **wildcards)


@pytest.fixture(name="job")
def _job() -> Callable[..., Any]:
    return job
