"""Target terms and their settings by name, from the registry."""

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any

from esl.errors import suggestion
from esl.settings import named_settings
from esl.training.terms.registry import TERMS

if TYPE_CHECKING:
    from esl.training.terms.base import TargetTerm, TermContext
    from esl.training.terms.settings import BaseTermSettings


def term_settings(name: str, values: dict[str, Any]) -> "BaseTermSettings":
    """The settings of the term ``name`` with the given ``values``, the defaults for the rest.

    Raises:
        ValueError: there is no such term, or it does not take a key or its value.
    """
    if name not in TERMS:
        raise ValueError(f"unknown target term {name!r}{suggestion(name, TERMS)}")
    return named_settings(name, term_settings_class(name), values)


def term_settings_class(name: str) -> "type[BaseTermSettings]":
    """The class of the settings of the term ``name``."""
    cls: type[BaseTermSettings] = resolve_name(TERMS[name].settings)
    return cls


def term_modules(name: str) -> tuple[str, ...]:
    """The modules of the term ``name``: roots of the code digest of the trainings that use it."""
    return tuple(reference.partition(":")[0] for reference in TERMS[name])


def build_term(name: str, values: dict[str, Any], context: "TermContext") -> "TargetTerm":
    """The term ``name`` for one training; ``values`` are its settings, the defaults for the rest."""
    term: TargetTerm = resolve_name(TERMS[name].term)(term_settings(name, values), context)
    return term
