"""The selection methods by name. A new method is a module and a row here."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from esl.errors import InputError, explanations
from esl.labels.methods.base import Method, MethodSettings

METHODS = {
    "esl": "esl.labels.methods.esl:Esl",
    "bdl": "esl.labels.methods.bdl:Bdl",
    "fda": "esl.labels.methods.fda:Fda",
    "cbst": "esl.labels.methods.cbst:Cbst",
    "sac": "esl.labels.methods.sac:Sac",
    "fixed": "esl.labels.methods.fixed:Fixed",
    "control": "esl.labels.methods.control:Control",
}
"""Name -> module:class."""


def method_module(name: str) -> str:
    """The module of a method; InputError for an unknown name lists the known ones."""
    if name not in METHODS:
        raise InputError(f"method: expected one of {', '.join(METHODS)}, but got {name!r}")
    return METHODS[name].partition(":")[0]


def method_class(name: str) -> type[Any]:
    """The class of a ``Method``, which takes its settings; InputError for an unknown name."""
    module = import_module(method_module(name))
    cls: type[Any] = getattr(module, METHODS[name].partition(":")[2])
    return cls


def settings_class(name: str) -> type[MethodSettings]:
    """The class of a method's settings; InputError for an unknown name."""
    cls: type[MethodSettings] = method_class(name).settings_class
    return cls


def build_method(name: str, parameters: Mapping[str, Any] | None = None, classes: Sequence[str] = ()) -> Method:
    """The method called ``name`` with the given settings, the defaults for the rest.

    ``classes`` are the names of all classes by trainId, for a method whose settings name some; only its ``thresholds``
    needs them.

    Raises:
        InputError: there is no such method, or it does not take a setting or its value; the message names each.

    >>> build_method("esl").settings.parameters()
    {'quantile': 0.5, 'bound': 0.1}
    """
    try:
        settings = settings_class(name).model_validate(dict(parameters or {}))
    except ValidationError as error:
        raise InputError("\n".join(f"methods.{name}.{line}" for line in explanations(error))) from None
    cls = method_class(name)
    method: Method = cls(settings, classes) if settings.names_classes else cls(settings)
    return method
