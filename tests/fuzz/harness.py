"""Damaged inputs, thousands of them, given to a reader in a process of its own; what it did with each is judged.

A reader returns a sound value, or raises one ``InputError`` of one line that names the file. All else is a finding:
another exception, the end of the interpreter, a hang, more memory than is allowed, a number that is not finite.
"""

import faulthandler
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import nn

from esl.errors import InputError
from tests.fuzz.mutations import Mutate, damaged

SECONDS = 20
"""The longest that one input may take."""

MEMORY = 4 * 2**30
"""The most bytes of addresses that a reader may add to those of the process."""

LONGEST_LINE = 10_000
"""The most characters of a line of a message, which may repeat a value of the user's."""


STARTS = ("  ", "config: ", "datasets.", "class_sets.")
"""The starts of the lines of a message that lists every mistake."""


class WrongValueError(AssertionError):
    """A damaged input was read as if it were sound."""


@dataclass(frozen=True)
class Reader:
    """A reader, sound inputs of it, and how they are damaged."""

    name: str
    file: str  # the name that every input gets
    sound: list[bytes]
    read: Callable[[Path], Any]  # and uses the value as its stage would
    mutate: Mutate = damaged
    named: str | None = None  # what a message names; None: the path of the file
    lists: bool = False  # whether a message lists every mistake, each on a line
    slower: int = 1  # in the short form a slow reader gets so many times fewer inputs

    def input(self, seed: int, number: int) -> bytes:
        """Input ``number``: the seed and the number alone decide it."""
        chance = Random(f"{self.name} {seed} {number}")
        return self.mutate(chance, chance.choice(self.sound))


@dataclass
class Report:
    """What became of the inputs of a reader; of every kind of finding all inputs."""

    name: str
    inputs: int = 0
    read: int = 0
    refused: int = 0
    seconds: float = 0.0
    findings: dict[str, list[bytes]] = field(default_factory=dict)

    def add(self, outcome: str, content: bytes) -> None:
        """Counts one input: ``read``, ``refused``, or a kind of finding."""
        self.inputs += 1
        if outcome == "read":
            self.read += 1
        elif outcome == "refused":
            self.refused += 1
        else:
            self.findings.setdefault(outcome, []).append(content)

    @property
    def row(self) -> str:
        """A row of the table."""
        cells = (
            self.name,
            f"{self.inputs:,}",
            f"{self.read:,}",
            f"{self.refused:,}",
            sum(map(len, self.findings.values())),
        )
        return f"| {' | '.join(map(str, cells))} | {self.seconds:.0f} |"

    def keep(self, folder: Path) -> str:
        """Writes the smallest input of every kind of finding to ``folder``; a line for each."""
        lines = []
        for place, (kind, contents) in enumerate(self.findings.items()):
            content = min(contents, key=len)
            path = folder / f"{self.name.replace('/', '-').replace(' ', '_')}-{place}"
            path.write_bytes(content)
            lines.append(f"{self.name}: {kind}, {len(contents)} times; {path}, {len(content)} bytes")
        return "\n".join(lines)


def fuzz(reader: Reader, count: int, folder: Path, seed: int = 0) -> Report:
    """Gives a reader ``count`` inputs, each as a file in ``folder``; a reader's process that dies is started again."""
    report = Report(reader.name)
    path = folder / reader.file
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    for content in reader.sound:
        path.write_bytes(content)
        reader.read(path)  # what is damaged below is sound
    while report.inputs < count:
        for outcome in _outcomes(reader, seed, range(report.inputs, count), path):
            report.add(outcome, reader.input(seed, report.inputs) if outcome not in ("read", "refused") else b"")
    report.seconds = time.monotonic() - begun
    return report


def _outcomes(reader: Reader, seed: int, numbers: range, path: Path) -> Iterator[str]:
    """The outcome of each input in turn; the last one is how the process ended, if it did not live to the end."""
    receiving, sending = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            os.close(receiving)
            _child(reader, seed, numbers, path, sending)
        except BaseException:
            os.write(sending, f"{json.dumps({'mistake': traceback.format_exc()})}\n".encode())
        finally:
            os._exit(0)
    os.close(sending)
    with os.fdopen(receiving, encoding="utf-8") as lines:
        begun = 0
        for line in lines:
            begun += line == "\n"
            if line != "\n":
                outcome = json.loads(line)
                assert isinstance(outcome, str), f"{reader.name}: the harness itself fails: {outcome['mistake']}"
                yield outcome
                begun -= 1
    _, status = os.waitpid(child, 0)
    if begun:
        number = os.waitstatus_to_exitcode(status)
        yield f"hang of {SECONDS} s" if number == -signal.SIGALRM else f"the interpreter ends: status {number}"


def _child(reader: Reader, seed: int, numbers: range, path: Path, sending: int) -> None:
    """Reads every input, quietly and within limits; sends an empty line before, and the outcome after each."""
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    sys.stdout = sys.stderr = os.fdopen(quiet, "w")
    faulthandler.disable()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    addresses = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + MEMORY, -1))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in numbers:
        path.write_bytes(reader.input(seed, number))
        os.write(sending, b"\n")
        signal.setitimer(signal.ITIMER_REAL, SECONDS)
        outcome = judged(reader, path)
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.write(sending, f"{json.dumps(outcome)}\n".encode())
    os._exit(0)


def judged(reader: Reader, path: Path) -> str:
    """``read``, ``refused``, or the kind of finding that one input is."""
    try:
        value = reader.read(path)
    except InputError as error:
        return _complaint(str(error), str(path) if reader.named is None else reader.named, reader.lists) or "refused"
    except WrongValueError as error:
        return f"accepted: {error}"
    except BaseException as error:
        place = [frame for frame in traceback.extract_tb(error.__traceback__) if "/tests/" not in frame.filename]
        where = next((frame for frame in reversed(place) if "/site-packages/" not in frame.filename), None)
        at = f" at {Path(where.filename).name}:{where.lineno}" if where else ""
        return f"{type(error).__name__}{at}"
    return "read" if is_finite(value) else "accepted: a number that is not finite"


def _complaint(message: str, named: str, lists: bool) -> str | None:
    """What is wrong with a message, if anything."""
    lines = message.splitlines()
    if named not in message:
        return "a message that does not name the file"
    if len(lines) > 1 and not (lists and all(line.startswith(STARTS) for line in lines[1:])):
        return "a message of several lines"
    if not all(line.isprintable() for line in lines):
        return "a message that cannot be printed"
    if "MemoryError" in message or "allocate" in message:
        return "more memory than is allowed"
    return f"a line of more than {LONGEST_LINE} characters" if max(map(len, lines)) > LONGEST_LINE else None


def is_finite(value: Any) -> bool:
    """Whether a value, and all that it holds, is finite as far as it is a number."""
    if isinstance(value, nn.Module):
        return is_finite(value.state_dict())
    if isinstance(value, torch.Tensor):
        return value.layout == torch.strided and bool(value.isfinite().all())
    if isinstance(value, float | np.ndarray):
        return bool(np.isfinite(value).all()) if np.asarray(value).dtype.kind in "fc" else True
    if is_dataclass(value):
        return all(is_finite(getattr(value, part.name)) for part in fields(value))
    if isinstance(value, dict):
        return all(map(is_finite, value.values()))
    return all(map(is_finite, value)) if isinstance(value, list | tuple) else True
