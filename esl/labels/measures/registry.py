"""The measures of confidence, by the names of their maps. A new measure is a module and a row here."""

from importlib import import_module

from esl.errors import InputError
from esl.labels.measures.base import Measure

MEASURES = {
    "entropy": "esl.labels.measures.entropy:Entropy",
    "confidence": "esl.labels.measures.max_probability:MaxProbability",
    "margin": "esl.labels.measures.margin:Margin",
}
"""Name -> module:class."""


def measure_module(name: str) -> str:
    """The module of a measure; InputError for an unknown name lists the known ones."""
    if name not in MEASURES:
        raise InputError(f"measure: expected one of {', '.join(MEASURES)}, but got {name!r}")
    return MEASURES[name].partition(":")[0]


def measure_named(name: str) -> Measure:
    """The measure called ``name``.

    Raises:
        InputError: there is no such measure; the message lists the known ones.

    >>> measure_named("entropy").sure
    'low'
    """
    module = import_module(measure_module(name))
    measure: Measure = getattr(module, MEASURES[name].partition(":")[2])()
    return measure
