"""Locks between processes: one training per model, one job per GPU. They end with their process.

filelock, which torch installs, has neither the holder's name nor a way to go on where a file system knows no locks, and
leaves its files behind.
"""

import fcntl
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EACCES, EAGAIN
from pathlib import Path
from typing import IO

POLL_SECONDS = 1.0
"""Time between two tries for the lock of another process."""


class Lock:
    """A lock on a file with the name of its host and process; on a file system without locks, everybody gets it.

    Forked processes keep it until they end as well.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: IO[str] | None = None

    def acquire(self) -> bool:
        """Takes the lock if nobody has it; whether it is held now."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = self.path.open("a", encoding="utf-8")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (EACCES, EAGAIN):
                file.close()
                return False
            # ENOLCK, ENOSYS, EOPNOTSUPP: nothing can be locked here
        if os.fstat(file.fileno()).st_nlink == 0:  # who had it has removed it since it was opened
            file.close()
            return False
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}")
        file.flush()
        self._file = file
        return True

    def holder(self) -> str:
        """Who has the lock, as ``process 4711 on node7``."""
        try:
            return self.path.read_text(encoding="utf-8") or "another process"
        except FileNotFoundError:
            return "another process"

    def release(self) -> None:
        """Gives the lock back, if it is held, and removes its file."""
        if self._file is not None:
            self.path.unlink(missing_ok=True)
            self._file.close()
            self._file = None


@contextmanager
def alone(path: Path, doing: str) -> Iterator[bool]:
    """Runs the block while no other process holds the lock ``path``; gives whether it had to wait.

    While it waits, it names the holder and what it is ``doing``.
    """
    lock = Lock(path)
    if waited := not lock.acquire():
        print(f"{path}: {lock.holder()} is {doing}; waiting until it ends", file=sys.stderr, flush=True)
        while not lock.acquire():
            time.sleep(POLL_SECONDS)
    try:
        yield waited
    finally:
        lock.release()
