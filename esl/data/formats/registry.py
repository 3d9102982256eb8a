"""The formats that the project ships, by name: modules of Python, and declarations in ``declared.yaml``.

The registry holds names only, so that a new format makes no result of another one stale.
"""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import yaml

from esl.data.formats.base import Format
from esl.errors import InputError

FORMATS = {
    "gta5": "esl.data.formats.gta5:FORMAT",
    "mapillary": "esl.data.formats.mapillary:FORMAT",
    "folder": "esl.data.formats.folder:FORMAT",
}
"""Formats that are modules: name -> "module:attribute", a ``Format``."""

DECLARED = "esl.data.formats.declared:build_declared_format"
"""The function that builds a ``Format`` from a name and a declaration, shipped or the user's."""

DECLARATIONS = Path(__file__).with_name("declared.yaml")


def format_names() -> list[str]:
    """The names of all shipped formats; ``folder``, which fits any folder of images, comes last."""
    return [*(name for name in FORMATS if name != "folder"), *_shipped(), "folder"]


def declaration(name: str) -> dict[str, Any] | None:
    """The entry of a format in ``declared.yaml``; ``None`` for one that it does not declare."""
    return _shipped().get(name)


def format_module(name: str, declared: bool = False) -> str:
    """The module that reads a format, shipped or ``declared`` by the user: a root of the code digest."""
    return (DECLARED if declared or declaration(name) is not None else _entry(name)).partition(":")[0]


def format_named(name: str, declared: Mapping[str, Any] | None = None) -> Format:
    """The format called ``name``: the one that ``declared`` declares, or a shipped one.

    Raises:
        InputError: there is no such format, or its declaration is wrong.
    """
    if declared is None:
        declared = declaration(name)
    if declared is not None:
        return cast(Format, _resolved(DECLARED)(name, declared))
    return cast(Format, _resolved(_entry(name)))


def _entry(name: str) -> str:
    if name not in FORMATS:
        raise InputError(f"dataset: expected one of {', '.join(format_names())}, but got {name!r}")
    return FORMATS[name]


def _resolved(entry: str) -> Any:
    module, _, attribute = entry.partition(":")
    return getattr(import_module(module), attribute)


@cache
def _shipped() -> dict[str, dict[str, Any]]:
    content: dict[str, dict[str, Any]] = yaml.safe_load(DECLARATIONS.read_text(encoding="utf-8"))
    return content
