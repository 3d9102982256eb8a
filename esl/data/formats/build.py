"""Builds formats by name: shipped ones, from the registry, and declarations of a config."""

from collections.abc import Mapping
from functools import cache
from pkgutil import resolve_name
from typing import Any, cast

import yaml

from esl.data.formats.base import Format
from esl.data.formats.registry import DECLARATIONS, DECLARED, FORMATS
from esl.errors import InputError


def format_names() -> list[str]:
    """The names of all shipped formats; ``folder`` fits any folder of images, and comes last."""
    return [*(name for name in FORMATS if name != "folder"), *_shipped(), "folder"]


def declaration(name: str) -> dict[str, Any] | None:
    """The entry of a format in ``declared.yaml``, or ``None``."""
    return _shipped().get(name)


def format_module(name: str, declared: bool = False) -> str:
    """The module of a format, shipped or ``declared`` by the user: a root of the code digest."""
    return (DECLARED if declared or declaration(name) is not None else _entry(name)).partition(":")[0]


def format_named(name: str, declared: Mapping[str, Any] | None = None) -> Format:
    """The format called ``name``: built from the declaration ``declared``, or a shipped one.

    Raises:
        InputError: there is no such format, or its declaration is wrong.
    """
    if declared is None:
        declared = declaration(name)
    if declared is not None:
        return cast(Format, resolve_name(DECLARED)(name, declared))
    return cast(Format, resolve_name(_entry(name)))


def _entry(name: str) -> str:
    if name not in FORMATS:
        raise InputError(f"dataset: expected one of {', '.join(format_names())}, but got {name!r}")
    return FORMATS[name]


@cache
def _shipped() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = yaml.safe_load(DECLARATIONS.read_text(encoding="utf-8"))
    return content
