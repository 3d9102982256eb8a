"""Interruption and resumption of a training: its progress, its saved state, and signals."""

import math
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Protocol

import torch
from lightning_fabric import Fabric
from pydantic import Field
from torch import Tensor

from esl.contents import Content, Count
from esl.errors import InputError, one_line
from esl.models.checkpoint import save_tensors
from esl.models.weights import read_tensors

SIGNAL_CHECK_EVERY = 20
"""Iterations between two checks of several processes for a signal; each check makes them wait for each other."""

SUMS = 5
"""Values of an iteration that rows of the log are means of."""

Row = dict[str, int | float]
"""A row of the training log: means over the iterations since the previous row."""


@dataclass(frozen=True)
class Saving:
    """Where and how often a resumable state is written, and which snapshots are kept.

    ``identity`` is a plain description of everything that decides the result: a state with a different one is ignored.
    ``snapshot`` is called with the iteration and the weights that a checkpoint would hold, every ``snapshot_every``
    iterations except after the last (0: never).
    """

    path: Path
    every: int  # iterations
    identity: dict[str, Any]
    snapshot_every: int = 0
    snapshot: Callable[[int, Mapping[str, Tensor]], None] = lambda iteration, weights: None


class Stateful(Protocol):
    """A part of a training with a state: network, optimiser, schedule, target term."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any], /) -> Any: ...


class _Row(Content):
    """The keys of a ``Row``."""

    iteration: Count
    learning_rate: float
    source_loss: float
    target_loss: float
    adaptation_loss: float
    labelled_loss: float
    target_labelled: float


class _Saved(Content):
    """The content that ``Progress.save`` writes of itself, but for the sums."""

    iteration: Count
    rows: list[_Row]
    counted: Count
    learning_rate: Annotated[float, Field(ge=0)]


@dataclass
class Progress:
    """The progress of a training: the next iteration, the log so far, and the sums of the row being filled."""

    iteration: int = 0
    rows: list[Row] = field(default_factory=list)
    counted: int = 0  # iterations in ``sums``
    learning_rate: float = 0.0
    sums: Tensor = field(default_factory=lambda: torch.zeros(SUMS))

    def count(self, learning_rate: float, losses: Tensor) -> None:
        """Adds one iteration; nothing is read back from the device before the row is closed."""
        self.sums = self.sums.to(losses.device) + losses
        self.learning_rate, self.counted, self.iteration = learning_rate, self.counted + 1, self.iteration + 1

    def close_row(self) -> Row:
        """Ends the row; InputError when a loss in it was not finite."""
        source_loss, target_loss, adaptation_loss, labelled_loss, share = (self.sums / self.counted).tolist()
        if not math.isfinite(source_loss + target_loss + adaptation_loss + labelled_loss):
            raise InputError(f"the loss is not finite at iteration {self.iteration}: lower the learning rate")
        row: Row = {
            "iteration": self.iteration,
            "learning_rate": self.learning_rate,
            "source_loss": source_loss,
            "target_loss": target_loss,
            "adaptation_loss": adaptation_loss,
            "labelled_loss": labelled_loss,
            "target_labelled": share,
        }
        self.rows.append(row)
        self.counted, self.sums = 0, torch.zeros(SUMS)
        return row

    def check(self, iterations: int) -> None:
        """ValueError unless this is the progress of a training of ``iterations``, before its end."""
        closed = self.rows[-1]["iteration"] if self.rows else 0
        if not 0 < self.iteration < iterations or closed + self.counted != self.iteration:
            raise ValueError(f"iteration {self.iteration} of {iterations}, {self.counted} of them after {closed}")
        if not isinstance(self.sums, Tensor) or self.sums.shape != (SUMS,) or self.sums.dtype != torch.float32:
            raise ValueError(f"sums: expected {SUMS} numbers")

    def save(self, saving: Saving, parts: dict[str, Stateful]) -> None:
        """Writes the state for a resumed training."""
        progress = {
            "iteration": self.iteration,
            "rows": self.rows,
            "counted": self.counted,
            "learning_rate": self.learning_rate,
        }
        state = {name: part.state_dict() for name, part in parts.items()}
        content = {"identity": saving.identity, "progress": progress, "sums": self.sums.cpu(), "parts": state}
        save_tensors(saving.path, content)

    @classmethod
    def resume(cls, saving: Saving, parts: dict[str, Stateful], iterations: int) -> "Progress":
        """The saved progress, with the state of every part restored; a fresh start when there is none to continue.

        A damaged state is none: the training starts again, and says so.

        Raises:
            InputError: the state is whole, but does not fit the parts.
        """
        if not saving.path.is_file():
            return cls()
        try:
            content = read_tensors(saving.path, kind="a saved state", fix="starting again")
        except InputError as error:
            print(error, file=sys.stderr)
            return cls()
        if not isinstance(content, dict) or not _is_same(content.get("identity"), saving.identity):
            print(f"{saving.path}: of a training with other settings or inputs; starting again", file=sys.stderr)
            return cls()
        try:
            _Saved.model_validate(content["progress"])
            progress = cls(**content["progress"], sums=content["sums"])
            progress.check(iterations)
            for name, part in parts.items():
                part.load_state_dict(content["parts"][name])
        except Exception as error:  # torch's parts raise anything for a state that is not theirs
            raise InputError(
                f"{saving.path}: not a state of this training ({one_line(error, 200)}); delete it and run again"
            ) from None
        print(f"{saving.path}: resuming at iteration {progress.iteration}", file=sys.stderr)
        return progress


def _is_same(identity: Any, expected: dict[str, Any]) -> bool:
    """Whether a state is of a training of this identity; one with tensors in it is not."""
    try:
        return bool(identity == expected)
    except RuntimeError:
        return False


@contextmanager
def catch_signals() -> Iterator[list[int]]:
    """A list of received signals: SIGTERM, and SIGINT, which Ctrl-C sends."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def any_process_told_to_end(received: list[int], iteration: int, fabric: Fabric) -> bool:
    """Whether a process has received a signal; several agree on it every ``SIGNAL_CHECK_EVERY`` iterations."""
    if fabric.world_size == 1:
        return bool(received)
    if iteration % SIGNAL_CHECK_EVERY:
        return False
    return bool(fabric.all_reduce(torch.tensor(float(bool(received)), device=fabric.device), reduce_op="sum"))


def exit_on_signal(received: list[int], saving: Saving, iteration: int, fabric: Fabric) -> None:
    """Ends the process as the signal would (status 143 or 130), after the state has been saved."""
    number = received[0] if received else signal.SIGTERM  # another process has received it
    fabric.print(f"{saving.path}: saved on {signal.Signals(number).name} after {iteration} iterations; run again")
    fabric.barrier()
    sys.exit(128 + number)
