"""The rules as published, and what may be changed of them."""

import math

import pytest

from esl.errors import InputError
from esl.labels.rules import RULES, Rule, cbst_portion, make_rule


def test_the_published_rules() -> None:
    assert {name: (rule.measure, rule.quantile, rule.bound) for name, rule in RULES.items()} == {
        "esl": ("entropy", 0.5, 0.1),
        "bdl": ("confidence", 0.5, 0.9),
        "fda": ("confidence", 0.66, 0.9),
        "cbst": ("confidence", 0.8, None),
        "control": (None, 0.0, None),
    }
    assert [name for name, rule in RULES.items() if rule.by_ratio] == ["cbst"]


def test_every_rule_tells_the_maps_that_it_reads() -> None:
    assert {name: rule.maps for name, rule in RULES.items()} == {
        "esl": ("label", "entropy"),
        "bdl": ("label", "confidence"),
        "fda": ("label", "confidence"),
        "cbst": ("label", "confidence", "probability"),
        "control": ("label",),
    }


def test_a_given_quantile_or_bound_takes_the_place_of_the_published_one_even_when_it_is_zero() -> None:
    assert make_rule("esl") == RULES["esl"]
    assert make_rule("esl", quantile=0.0) == Rule("esl", "entropy", 0.0, 0.1)
    assert make_rule("bdl", bound=0.0) == Rule("bdl", "confidence", 0.5, 0.0)
    assert make_rule("cbst", quantile=0.5) == Rule("cbst", "confidence", 0.5, None, by_ratio=True)


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf])
def test_a_fraction_outside_zero_and_one_is_refused_by_name(bad: float) -> None:
    with pytest.raises(InputError, match=r"esl\.quantile"):
        make_rule("esl", quantile=bad)
    with pytest.raises(InputError, match=r"fda\.bound"):
        make_rule("fda", bound=bad)


def test_an_unknown_rule_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match=r"esl, bdl, fda, cbst, control, but got 'esk'"):
        make_rule("esk")


def test_a_bound_for_a_rule_without_one_is_refused() -> None:
    with pytest.raises(InputError, match=r"cbst\.bound: this rule has no bound"):
        make_rule("cbst", bound=0.9)


def test_the_portion_of_cbst_grows_with_the_rounds_to_its_maximum() -> None:
    assert [cbst_portion(n) for n in range(1, 10)] == [0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.5, 0.5]
    assert [cbst_portion(n, portion=0.1, portion_step=0.3, portion_max=0.6) for n in (1, 2, 3)] == [0.1, 0.4, 0.6]
