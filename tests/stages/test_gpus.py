"""Which GPUs a job takes where several are visible; processes of their own stand for jobs."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from itertools import combinations
from multiprocessing import get_context
from multiprocessing.context import ForkProcess
from pathlib import Path

import pytest

from esl.stages import gpus

FORK = get_context("fork")
"""A job starts from this process, which has imported PyTorch: a new one would import it for seconds."""

StartJob = Callable[..., ForkProcess]


def job(each: int, visible: str, seconds: float, said: Path) -> None:
    """Takes ``each`` GPUs for some seconds; writes their positions, when it began and when it ended."""
    os.environ["CUDA_VISIBLE_DEVICES"] = visible
    with said.with_suffix(".err").open("w", buffering=1) as sys.stderr:
        chosen = gpus.choose_gpus(each)
        begin = time.time()
        time.sleep(seconds)
        said.write_text(" ".join(map(str, [*chosen, begin, time.time()])))


@pytest.fixture
def start_job(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[StartJob]:
    """Starts a job; the ones that still run when the test ends are killed."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(gpus, "_held", [])
    monkeypatch.delenv(gpus.CHOSEN, raising=False)
    started: list[ForkProcess] = []

    def start(*arguments: object) -> ForkProcess:
        started.append(FORK.Process(target=job, args=arguments))
        started[-1].start()
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.mark.parametrize(("count", "each", "visible"), [(6, 1, "0,1,2,3"), (3, 2, "4,5,GPU-1a/b,7")])
def test_no_gpu_is_used_twice_at_once_and_none_is_left_idle(
    tmp_path: Path, start_job: StartJob, count: int, each: int, visible: str
) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(count)]
    for process in [start_job(each, visible, 0.5, path) for path in paths]:
        process.join()
        assert process.exitcode == 0
    done = []
    for path in paths:
        *chosen, begin, end = path.read_text().split()
        done.append(([int(position) for position in chosen], float(begin), float(end)))
    assert all(len(set(chosen)) == each for chosen, _, _ in done)
    assert {position for chosen, _, _ in done for position in chosen} == set(range(4))
    for (first, begin, end), (second, its_begin, its_end) in combinations(done, 2):
        assert not set(first) & set(second) or end <= its_begin or its_end <= begin


def test_processes_of_one_job_share_its_choice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, start_job: StartJob
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    monkeypatch.setenv(gpus.CHOSEN, "")
    chosen = gpus.choose_gpus(2)
    start_job(2, "0,1,2", 0, tmp_path / "child.txt").join()
    assert [int(word) for word in (tmp_path / "child.txt").read_text().split()[:2]] == chosen == [0, 1]


def test_where_there_is_nothing_to_choose_nothing_is_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A scheduler's jobs may all call their only GPU 0: none of them may wait for another."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(gpus.CHOSEN, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpus.choose_gpus(1) == [0]
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_waits_says_so(tmp_path: Path, start_job: StartJob) -> None:
    paths = [tmp_path / f"{number}.txt" for number in range(3)]
    for path in paths:
        start_job(1, "0,1", 60, path)
    end = time.monotonic() + 60
    while not (said := [text for path in tmp_path.glob("*.err") if (text := path.read_text())]):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert said == ["waiting for 1 of the GPUs 0,1, which other jobs have\n"]
