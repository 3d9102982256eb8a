"""A cluster for all tests, and a checkout whose jobs run on it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.configs import merged
from tests.slurm.cluster import Cluster, obstacle
from tests.workflow.conftest import TINY, checkout, digests

QUICK = ("--slurm-init-seconds-before-status-checks=2", "--seconds-between-status-checks=2", "--latency-wait=5")
"""A cluster of one node answers at once; elsewhere the profile's patience is right."""

SHARDS: dict[str, Any] = {"benchmarks": {"gta2city": {"inference": {"shards": 3}}}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs a cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slurm)


@dataclass
class Submitted:
    """A checkout whose workflow runs through the shipped profile, and what the scheduler says of it."""

    root: Path
    cluster: Cluster
    running: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(self, *arguments: str, change: dict[str, Any] | None = None, target: str = "miou.json") -> Any:
        """Starts ``snakemake``, whose output goes to a file of the checkout."""
        (self.root / "tiny.yaml").write_text(yaml.safe_dump(merged(TINY, SHARDS, change or {}), sort_keys=False))
        profile = ("--workflow-profile", "workflow/profiles/slurm", "--slurm-no-account", *QUICK)
        command = [sys.executable, "-m", "snakemake", *profile, *arguments, "--configfile", "tiny.yaml"]
        environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONUNBUFFERED": "1",
        }
        with (self.root / "output.txt").open("a") as output:
            process = subprocess.Popen(
                [*command, "--", f"results/gta2city/{target}"],
                cwd=self.root,
                env=environment,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def run(self, *arguments: str, **options: Any) -> int:
        """Runs ``snakemake`` to its end; its status."""
        return int(self.start(*arguments, **options).wait(timeout=1200))

    @property
    def output(self) -> str:
        """Everything that Snakemake has said."""
        return (self.root / "output.txt").read_text()

    def stop(self) -> None:
        """Ends every Snakemake that is still there."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A running cluster; the tests are skipped, with the reason, where there can be none."""
    if reason := obstacle():
        pytest.skip(reason)
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        made.start()
        yield made
    finally:
        made.stop()


@pytest.fixture
def submitted(cluster: Cluster, tmp_path: Path) -> Iterator[Submitted]:
    """A checkout in which nothing has run."""
    one = Submitted(checkout(tmp_path / "project").root, cluster)
    yield one
    one.stop()
    cluster.output("scancel", "--user", "root", check=False)


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The digests of the same results made without a cluster."""
    project = checkout(tmp_path_factory.mktemp("local") / "project")
    run = project.snakemake(change=SHARDS)
    assert run.returncode == 0, run.stdout + run.stderr
    return digests(project.root)
