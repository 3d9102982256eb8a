"""The choice of a job's GPUs on a machine without a scheduler: no other job of the same user has them."""

import os
import tempfile
import time
from pathlib import Path

import torch

from esl.locks import POLL_SECONDS, Lock
from esl.stages.command import say

CHOSEN = "ESL_GPUS"
"""The environment variable that shares the choice between the processes of one job."""

_held: list[Lock] = []
"""The locks of this process; it keeps them until it ends."""


def choose_gpus(count: int) -> list[int]:
    """Takes ``count`` GPUs; their positions among the visible ones (``CUDA_VISIBLE_DEVICES``, else all of the machine).

    If no more are visible than the job needs, as in a scheduler's job, there is nothing to choose. Otherwise it waits
    for free ones: Snakemake counts GPUs, but assigns none.
    """
    if chosen := os.environ.get(CHOSEN):
        return [int(position) for position in chosen.split(",")]
    visible = visible_gpus()
    if len(visible) <= count:
        return list(range(count))
    if not (taken := _take(visible, count)):
        say(f"waiting for {count} of the GPUs {','.join(visible)}, which other jobs have")
        while not (taken := _take(visible, count)):
            time.sleep(POLL_SECONDS)
    os.environ[CHOSEN] = ",".join(str(position) for position in taken)
    return taken


def visible_gpus() -> list[str]:
    """The names of the visible GPUs: numbers, or their names in CUDA_VISIBLE_DEVICES."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return [str(number) for number in range(torch.cuda.device_count())]
    return [name.strip() for name in names.split(",") if name.strip()]


def _take(visible: list[str], count: int) -> list[int]:
    """Locks ``count`` free GPUs and returns their positions; none if fewer are free."""
    folder = Path(tempfile.gettempdir()) / f"esl-gpus-{os.getuid()}"
    locks = {position: Lock(folder / name.replace("/", "_")) for position, name in enumerate(visible)}
    taken: list[int] = []
    for position, lock in locks.items():
        if len(taken) < count and lock.acquire():
            taken.append(position)
    if len(taken) < count:
        for position in taken:
            locks[position].release()
        return []
    _held.extend(locks[position] for position in taken)
    return taken
