"""Names and numbers as they stand in figures."""

LONGEST_NAME = 44
"""Characters of a name that a figure shows."""


def short(name: str, length: int = LONGEST_NAME) -> str:
    r"""A name on one line: control characters as their escapes, and the middle of a long one left out.

    >>> short("a\nb"), short("abcdefghij", 7)
    ('a\\nb', 'abc…hij')
    """
    plain = "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in name)
    if len(plain) <= length:
        return plain
    half = (length - 1) // 2
    return f"{plain[:half]}…{plain[-half:]}"


def rounded(pixels: int) -> str:
    """A number of pixels, short.

    >>> rounded(950), rounded(7828460), rounded(93374)
    ('950', '7.8 M', '93 k')
    """
    if pixels < 1000:
        return str(pixels)
    return f"{pixels / 1e6:.1f} M" if pixels >= 1e6 else f"{pixels / 1e3:.0f} k"


def legend_columns(entries: int) -> int:
    """Columns of a legend at the foot of a figure: at most ten, rows of about the same length.

    >>> [legend_columns(entries) for entries in (7, 11, 19, 66)]
    [7, 6, 10, 10]
    """
    return max(1, -(-entries // -(-entries // 10)))


def legend_text(name: str) -> str:
    """A name for a legend: Matplotlib leaves out entries that begin with an underscore, so a space precedes it."""
    return f" {short(name)}" if name.startswith("_") else short(name)
