"""What a selection rule is, and those there are. A new rule is an entry of ``RULES``."""

from dataclasses import dataclass, replace
from typing import Literal

from esl.errors import InputError

Measure = Literal["entropy", "confidence"]


@dataclass(frozen=True)
class Rule:
    """Which measure of confidence a rule reads, and where it cuts each predicted class over the whole data set.

    The cut is max(quantile, bound) of the entropy, below which pixels are kept, or min(quantile, bound) of the
    confidence (the maximum probability), above which they are; without a bound it is the quantile itself.
    """

    name: str
    measure: Measure | None  # None keeps nothing
    quantile: float  # rank of the cut among the sorted values, a share in [0, 1]
    bound: float | None  # a value of the measure in [0, 1]
    by_ratio: bool = False
    """Whether a pixel gets the class of the largest probability / cut, kept where that ratio is at least 1, instead of
    the class of the largest probability."""

    @property
    def maps(self) -> tuple[str, ...]:
        """The maps of a shard that masking reads."""
        measured = (self.measure,) if self.measure else ()
        return ("label", *measured, *(("probability",) if self.by_ratio else ()))


RULES = {
    rule.name: rule
    for rule in (
        Rule("esl", "entropy", 0.5, 0.1),  # Saporta et al. 2020, section 3.2
        Rule("bdl", "confidence", 0.5, 0.9),  # Li et al. 2019
        Rule("fda", "confidence", 0.66, 0.9),  # Yang & Soatto 2020
        Rule("cbst", "confidence", 0.8, None, by_ratio=True),  # Zou et al. 2018, eq. 6; see cbst_portion
        Rule("control", None, 0.0, None),  # keeps nothing: the same training without pseudo-labels
    )
}


def make_rule(name: str, quantile: float | None = None, bound: float | None = None) -> Rule:
    """The rule called ``name``, with its published quantile and bound unless others are given.

    Raises:
        InputError: no such rule, a value outside [0, 1], or a bound for a rule that has none.
    """
    if name not in RULES:
        raise InputError(f"rule: expected one of {', '.join(RULES)}, but got {name!r}")
    rule = RULES[name]
    given = {key: value for key, value in (("quantile", quantile), ("bound", bound)) if value is not None}
    for key, value in given.items():
        if not 0 <= value <= 1:
            raise InputError(f"{name}.{key}: expected a fraction in [0, 1], but got {value}")
    if bound is not None and rule.bound is None:
        raise InputError(f"{name}.bound: this rule has no bound; leave it out")
    return replace(rule, **given)  # type: ignore[arg-type]


def cbst_portion(round_: int, *, portion: float = 0.2, portion_step: float = 0.05, portion_max: float = 0.5) -> float:
    """The share of each predicted class that CBST keeps in round 1, 2, ...: its quantile is 1 - portion.

    Defaults: Zou et al. 2018, section 5 (20 %, 5 % more in each round, 50 % at most).

    >>> [cbst_portion(n) for n in (1, 2, 3, 7, 8)]
    [0.2, 0.25, 0.3, 0.5, 0.5]
    """
    return round(min(portion + portion_step * (round_ - 1), portion_max), 12)
