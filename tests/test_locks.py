"""Locks between processes: one holder at a time, gone with the process that held them."""

import errno
import fcntl
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from esl.locks import Lock, alone

HOLD = """
import sys, time
from pathlib import Path
from esl.locks import Lock
lock = Lock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
time.sleep(60)
"""


def holder(path: Path) -> "subprocess.Popen[str]":
    """A process that has the lock."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "True\n"
    return process


def test_a_lock_names_its_holder_and_ends_with_a_killed_one(tmp_path: Path) -> None:
    path = tmp_path / "new/one.lock"
    other = holder(path)
    lock = Lock(path)
    assert not lock.acquire()
    assert lock.holder().startswith(f"process {other.pid} on ")
    other.kill()
    other.wait()
    assert lock.acquire()
    lock.release()
    assert not path.exists()


def test_who_waits_says_for_whom_and_goes_on_when_that_one_has_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "one.lock"
    with alone(path, "training") as waited:
        assert not waited
    other = holder(path)
    threading.Timer(0.5, other.kill).start()
    begin = time.monotonic()
    with alone(path, "training") as waited:
        assert waited and time.monotonic() - begin > 0.4
    assert f"{path}: process {other.pid} on" in (said := capsys.readouterr().err) and "is training; waiting" in said
    other.wait()


def test_a_lock_whose_file_was_removed_while_it_was_opened_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two processes would have it otherwise: one of the removed file, one of the new one."""
    path, flock = tmp_path / "one.lock", fcntl.flock

    def removed_meanwhile(file: int, how: int) -> None:
        path.unlink()
        flock(file, how)

    with monkeypatch.context() as patch:
        patch.setattr(fcntl, "flock", removed_meanwhile)
        assert not Lock(path).acquire()
    assert Lock(path).acquire()


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_system_without_locks_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuses(file: int, how: int) -> None:
        raise OSError(code, "no locks")

    monkeypatch.setattr(fcntl, "flock", refuses)
    with alone(tmp_path / "one.lock", "training") as waited:
        assert not waited
