"""The target terms by name. A new term is a package and a row here."""

from typing import NamedTuple


class TermEntry(NamedTuple):
    """Two classes of a target term, each as "module:class"."""

    settings: str  # in a module that imports no PyTorch: planning reads it
    term: str


TERMS = {
    "minent": TermEntry("esl.training.terms.minent.settings:MinEntSettings", "esl.training.terms.minent.term:MinEnt"),
    "advent": TermEntry("esl.training.terms.advent.settings:AdvEntSettings", "esl.training.terms.advent.term:AdvEnt"),
    "ema": TermEntry("esl.training.terms.ema.settings:EmaSettings", "esl.training.terms.ema.term:Ema"),
}
