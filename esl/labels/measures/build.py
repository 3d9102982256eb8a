"""Measures of confidence by name, from the registry."""

from pkgutil import resolve_name

from esl.errors import InputError
from esl.labels.measures.base import Measure
from esl.labels.measures.registry import MEASURES


def measure_module(name: str) -> str:
    """The module of a measure: a root of the code digest of the stages that compute it.

    Raises:
        InputError: there is no such measure; the message lists the known ones.
    """
    if name not in MEASURES:
        raise InputError(f"measure: expected one of {', '.join(MEASURES)}, but got {name!r}")
    return MEASURES[name].partition(":")[0]


def measure_named(name: str) -> Measure:
    """The measure called ``name``; InputError as ``measure_module``.

    >>> measure_named("entropy").sure
    'low'
    """
    measure_module(name)
    measure: Measure = resolve_name(MEASURES[name])()
    return measure
