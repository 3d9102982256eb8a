"""What all stages share: their flags, and how an error reaches the user."""

import argparse
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

from pydantic.fields import FieldInfo

from esl.errors import InputError
from esl.settings import Settings


def stage(main: Callable[[], None]) -> None:
    """Runs a stage; after a user's mistake it prints the message without a traceback and exits with status 1."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")


def size(text: str) -> tuple[int, int]:
    """The flag value ``256x128`` -> (width, height) in pixels.

    >>> size("256x128")
    (256, 128)
    """
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT in pixels, such as 1024x512, but got {text!r}")
    return int(width), int(height)


def resize(text: str) -> tuple[int, int] | int | None:
    """As ``size``; or the longer side alone, ``1024``; or ``own``, every picture at its own size: ``None``."""
    if text == "own":
        return None
    return int(text) if text.isdigit() and int(text) else size(text)


def crop(text: str) -> tuple[int, int] | None:
    """As ``size``; or ``whole``, pictures as they are, which gives ``None``."""
    return None if text == "whole" else size(text)


def add_paths(parser: argparse.ArgumentParser, *flags: str) -> None:
    """Adds required flags that take a path."""
    for flag in flags:
        parser.add_argument(flag, type=Path, required=True)


def add_settings(parser: argparse.ArgumentParser, settings: type[Settings]) -> None:
    """Adds ``--settings``, one JSON object of the class ``settings``; ``--help`` lists its keys."""
    parser.add_argument("--settings", required=True, metavar="JSON", help="what decides the result; keys: see below")
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = "keys of --settings:\n" + "\n".join(_key_lines(settings, indent=2))


def _key_lines(settings: type[Settings], indent: int) -> Iterator[str]:
    """A paragraph for each key, those of nested settings below their group."""
    for name, field in settings.model_fields.items():
        nested = next((type_ for type_ in _types(field) if issubclass(type_, Settings)), None)
        default = (
            " (required)" if field.is_required() else f" (default: {field.get_default(call_default_factory=True)})"
        )
        text = field.description or (nested.__doc__ if nested is not None else None) or ""
        prefix = " " * indent
        yield textwrap.fill(f"{name}: {text}{default}", 100, initial_indent=prefix, subsequent_indent=prefix + "    ")
        if nested is not None:
            yield from _key_lines(nested, indent + 4)


def _types(field: FieldInfo) -> list[type]:
    """The classes that a field's annotation names: ``X`` of ``X`` and of ``X | None``."""
    return [type_ for type_ in (field.annotation, *get_args(field.annotation)) if isinstance(type_, type)]
