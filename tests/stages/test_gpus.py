"""Which GPUs a job takes where several are visible; processes of their own stand for jobs."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations
from pathlib import Path

import pytest

from esl.stages import gpus

JOB = """
import sys, time
from esl.stages.gpus import choose_gpus
chosen = choose_gpus(int(sys.argv[1]))
begin = time.time()
time.sleep(0.5)
print(*chosen, begin, time.time())
"""


def jobs(count: int, each: int, folder: Path, visible: str) -> list[tuple[list[int], float, float]]:
    """What ``count`` jobs of ``each`` GPUs, all at once, had: positions, begin and end."""
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": visible, "TMPDIR": str(folder)}

    def job(_: int) -> tuple[list[int], float, float]:
        command = [sys.executable, "-c", JOB, str(each)]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
        *chosen, begin, end = said.split()
        return [int(position) for position in chosen], float(begin), float(end)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(job, range(count)))


@pytest.mark.parametrize(("count", "each", "visible"), [(6, 1, "0,1,2,3"), (3, 2, "4,5,GPU-1a/b,7")])
def test_no_gpu_is_used_twice_at_once_and_none_is_left_idle(
    tmp_path: Path, count: int, each: int, visible: str
) -> None:
    done = jobs(count, each, tmp_path, visible)
    assert all(len(set(chosen)) == each for chosen, _, _ in done)
    assert {position for chosen, _, _ in done for position in chosen} == set(range(4))
    for (first, begin, end), (second, its_begin, its_end) in combinations(done, 2):
        assert not set(first) & set(second) or end <= its_begin or its_end <= begin


def test_processes_of_one_job_share_its_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(gpus, "_held", [])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1,2")
    monkeypatch.setenv(gpus.CHOSEN, "")
    chosen = gpus.choose_gpus(2)
    child = subprocess.run([sys.executable, "-c", JOB, "2"], capture_output=True, text=True, check=True)
    assert [int(word) for word in child.stdout.split()[:2]] == chosen == [0, 1]


def test_where_there_is_nothing_to_choose_nothing_is_locked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A scheduler's jobs may all call their only GPU 0: none of them may wait for another."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv(gpus.CHOSEN, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpus.choose_gpus(1) == [0]
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_waits_says_so(tmp_path: Path) -> None:
    environment = os.environ | {"CUDA_VISIBLE_DEVICES": "0,1", "TMPDIR": str(tmp_path)}
    command = [sys.executable, "-c", JOB.replace("0.5", "60")]
    running = [subprocess.Popen([*command, "1"], env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    try:
        end = time.monotonic() + 60
        while sum(1 for _ in tmp_path.glob("esl-gpus-*/*")) < 2:
            assert time.monotonic() < end
            time.sleep(0.1)
        time.sleep(1.5)
    finally:
        for process in running:
            process.kill()
    said = [process.communicate()[1] for process in running]
    assert sorted(said) == ["", "", "waiting for 1 of the GPUs 0,1, which other jobs have\n"]
