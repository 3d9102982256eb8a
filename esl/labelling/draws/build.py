"""Rules that draw images to label, by name, from the registry."""

from pkgutil import resolve_name
from typing import cast

from esl.errors import InputError, suggestion
from esl.labelling.draws.base import Draw
from esl.labelling.draws.registry import DRAWS


def draw_module(name: str) -> str:
    """The module of a rule: a root of the code digest of the stage that runs it; InputError for an unknown name."""
    if name not in DRAWS:
        raise InputError(f"unknown rule {name!r}{suggestion(name, DRAWS)}")
    return DRAWS[name].partition(":")[0]


def draw_named(name: str) -> Draw:
    """The rule called ``name``; InputError as ``draw_module``."""
    draw_module(name)
    return cast(Draw, resolve_name(DRAWS[name])())
