"""The target terms by name: packages with ``settings.py`` (``TermSettings``, torch-free) and ``term.py`` (``Term``)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from esl.errors import suggestion
from esl.settings import named_settings

if TYPE_CHECKING:
    from esl.training.terms.base import TargetTerm, TermContext
    from esl.training.terms.settings import BaseTermSettings

TERMS = {
    "minent": "esl.training.terms.minent",
    "advent": "esl.training.terms.advent",
    "ema": "esl.training.terms.ema",
}


def term_settings(name: str, values: dict[str, Any]) -> "BaseTermSettings":
    """The settings of the term ``name`` that ``values`` give; ValueError for an unknown term, key or value."""
    if name not in TERMS:
        raise ValueError(f"unknown target term {name!r}{suggestion(name, TERMS)}")
    return named_settings(name, term_settings_class(name), values)


def term_settings_class(name: str) -> "type[BaseTermSettings]":
    """The class of the settings of the term ``name``."""
    cls: type[BaseTermSettings] = import_module(f"{TERMS[name]}.settings").TermSettings
    return cls


def term_modules(name: str) -> tuple[str, str]:
    """The modules of the term ``name``: roots of the code digest of the trainings that use it."""
    return f"{TERMS[name]}.settings", f"{TERMS[name]}.term"


def build_term(name: str, values: dict[str, Any], context: "TermContext") -> "TargetTerm":
    """The term ``name`` for one training."""
    term: TargetTerm = import_module(f"{TERMS[name]}.term").Term(term_settings(name, values), context)
    return term
