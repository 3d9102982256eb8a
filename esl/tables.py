"""Numbers as text, and rows of Markdown tables."""

from collections.abc import Sequence


def row(cells: Sequence[str]) -> str:
    """A row of a Markdown table.

    >>> row(["a", "b"])
    '| a | b |'
    """
    return f"| {' | '.join(cells)} |"


def scaled(value: float | None, factor: int = 100, sign: str = "") -> str:
    """A number in units of 1 / ``factor``, for a table that names the unit; a dash for ``None``.

    >>> scaled(0.1234), scaled(0.5, sign="+"), scaled(0.1234, 1000), scaled(None)
    ('12.3', '+50.0', '123.4', '-')
    """
    return "-" if value is None else f"{factor * value:{sign}.1f}"


def percent(fraction: float | None) -> str:
    """A fraction in percent; a dash for ``None``.

    >>> percent(0.1234), percent(None)
    ('12.3 %', '-')
    """
    return "-" if fraction is None else f"{scaled(fraction)} %"
