"""Reading processes without enough memory: one line with the fix."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from torch import Tensor

from esl.classes import Label, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream, batches
from esl.errors import InputError


class _Killed(Stream):
    """Its process is killed, as by a kernel short of memory."""

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("killed")


class _Full(Stream):
    """It finds no room in /dev/shm; containers have 64 MB by default."""

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        raise RuntimeError(
            "unable to allocate shared memory(shm) for file </torch_1_2_3>: No space left on device (28)"
        )


class _Wrong(Stream):
    """It has a fault of its own."""

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        raise RuntimeError("of the programme")


def _batches(kind: type[Stream]) -> Iterator[tuple[Tensor, Tensor]]:
    table = id_table([Label(0, "road")], CLASS_SETS["cityscapes19"])
    stream = kind(Pairs([(Path("a.png"), None)], table, None), AugmentationSettings(crop="8x8"), (0, 0))
    return batches(stream, batch_size=1, start=0, stop=1, rank=0, world_size=1, workers=1)


@pytest.mark.parametrize(
    ("kind", "start", "cure"),
    [
        (_Full, "/dev/shm: too small", "--shm-size=8g"),
        (_Killed, "DataLoader worker", "fewer processes read (--workers"),
    ],
)
def test_too_little_memory_is_one_line_that_says_what_to_do(kind: type[Stream], start: str, cure: str) -> None:
    with pytest.raises(InputError) as caught:
        next(_batches(kind))
    said = str(caught.value)
    assert said.startswith(start) and cure in said and "\n" not in said


def test_a_fault_of_the_programme_keeps_its_traceback() -> None:
    with pytest.raises(RuntimeError, match="of the programme") as caught:
        next(_batches(_Wrong))
    assert "Traceback" in str(caught.value)
