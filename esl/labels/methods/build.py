"""Selection methods by name, from the registry."""

from collections.abc import Mapping, Sequence
from pkgutil import resolve_name
from typing import Any

from pydantic import ValidationError

from esl.errors import InputError, explanations
from esl.labels.methods.base import Method, MethodSettings
from esl.labels.methods.registry import METHODS


def method_module(name: str) -> str:
    """The module of a method: a root of the code digest of the stages that run it.

    Raises:
        InputError: there is no such method; the message lists the known ones.
    """
    if name not in METHODS:
        raise InputError(f"method: expected one of {', '.join(METHODS)}, but got {name!r}")
    return METHODS[name].partition(":")[0]


def settings_class(name: str) -> type[MethodSettings]:
    """The class of a method's settings; InputError as ``method_module``."""
    return _method_class(name).settings_class


def method_settings(name: str, parameters: Mapping[str, Any]) -> MethodSettings:
    """A method's settings: the given ``parameters``, the defaults for the rest.

    Raises:
        InputError: there is no such method, or it does not take a setting or its value; the message names each.
    """
    try:
        return settings_class(name).model_validate(dict(parameters))
    except ValidationError as error:
        raise InputError("\n".join(f"methods.{name}.{line}" for line in explanations(error))) from None


def build_method(name: str, parameters: Mapping[str, Any] | None = None, classes: Sequence[str] = ()) -> Method:
    """The method called ``name`` with the given settings; InputError as ``method_settings``.

    ``classes`` are the names of all classes by trainId. Only the ``thresholds`` of a method whose settings name classes
    need them.

    >>> build_method("esl").settings.parameters()
    {'quantile': 0.5, 'bound': 0.1}
    """
    return _method_class(name)(method_settings(name, parameters or {}), classes)


def _method_class(name: str) -> type[Method]:
    method_module(name)
    cls: type[Method] = resolve_name(METHODS[name])
    return cls
