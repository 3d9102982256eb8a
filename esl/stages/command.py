"""What all stages share: flags, and how an error reaches the user."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from esl.errors import InputError


def stage(main: Callable[[], None]) -> None:
    """Runs a stage; a mistake of the user ends it with the message alone and exit status 1."""
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
