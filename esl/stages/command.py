"""The flags of every stage, and the report of its errors."""

import argparse
import os
import signal
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import get_args

import psutil
from pydantic.fields import FieldInfo

from esl.errors import InputError
from esl.settings import Settings

SNAKEMAKE = "ESL_SNAKEMAKE"
"""The environment variable in which ``snakemake`` hands its process number to the jobs that it runs."""


def stage(main: Callable[[], None]) -> None:
    """Runs a stage; after a user's mistake it prints the message without a traceback and exits with status 1.

    It ends, as by SIGTERM, together with the ``snakemake`` that started it.
    """
    try:
        _end_with_snakemake()
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        say("interrupted; run again")
        sys.exit(128 + signal.SIGINT)


def _end_with_snakemake() -> None:
    number = os.environ.get(SNAKEMAKE)
    if number is None:
        return
    for ancestor in psutil.Process().parents():  # in a container or a step of Slurm it is none, and those end theirs
        if str(ancestor.pid) == number:
            threading.Thread(target=_watch, args=(ancestor,), daemon=True).start()


def _watch(ancestor: psutil.Process) -> None:
    """Ends this process once ``ancestor`` has ended."""
    with suppress(psutil.NoSuchProcess):
        while ancestor.is_running() and ancestor.status() != psutil.STATUS_ZOMBIE:
            time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


def say(text: str) -> None:
    """Prints one line to the log of a stage: its next step, or its outcome."""
    print(text, file=sys.stderr, flush=True)


def add_paths(parser: argparse.ArgumentParser, *flags: str) -> None:
    """Adds required flags that take a path."""
    for flag in flags:
        parser.add_argument(flag, type=Path, required=True)


def add_settings(parser: argparse.ArgumentParser, settings: type[Settings]) -> None:
    """Adds ``--settings``, one JSON object of the class ``settings``; ``--help`` lists its keys."""
    parser.add_argument("--settings", required=True, metavar="JSON", help="what decides the result; its keys are below")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "keys of --settings:\n" + "\n".join(_key_lines(settings, indent=2))


def _key_lines(settings: type[Settings], indent: int) -> Iterator[str]:
    """A paragraph for each key; the keys of a nested group follow it, indented."""
    prefix = " " * indent
    for name, field in settings.model_fields.items():
        group = next((type_ for type_ in _types(field) if issubclass(type_, Settings)), None)
        text = field.description or (group.__doc__ if group is not None else None) or ""
        default = "" if group is not None else f" (default: {field.get_default(call_default_factory=True)})"
        note = " (required)" if field.is_required() else default
        yield textwrap.fill(f"{name}: {text}{note}", 100, initial_indent=prefix, subsequent_indent=prefix + "    ")
        if group is not None:
            yield from _key_lines(group, indent + 4)


def _types(field: FieldInfo) -> list[type]:
    """The classes that a field's annotation names: ``X`` of ``X`` and of ``X | None``."""
    return [type_ for type_ in (field.annotation, *get_args(field.annotation)) if isinstance(type_, type)]
