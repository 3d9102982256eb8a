"""The exception for user errors, and the likely correction of a misspelt name."""

import difflib
from collections.abc import Collection

LISTED_NAMES = 40
"""The most names that a suggestion lists."""


class InputError(ValueError):
    """A user error: a file, a setting or a dataset is wrong.

    The message names the file or key, says what was expected and how to fix it; stages print it without a traceback.
    """


def message(text: str) -> str:
    """A text for people, as it is: what it says decides no result, so the code digest leaves it out.

    For texts that are returned or collected; those of raised exceptions are left out anyway.
    """
    return text


def is_text(name: str) -> bool:
    """Whether the name of a file is text: one that is not UTF-8 holds surrogates (PEP 383)."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def printable(text: str) -> str:
    r"""``text`` as a single line: bytes of names that are not UTF-8, line breaks and the like as escapes.

    >>> printable("a" + chr(0xDCE9) + ".png"), printable("two" + chr(10) + "lines")
    ('a\\udce9.png', 'two\\nlines')
    """
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def one_line(reason: object, longest: int = 300) -> str:
    """The words of another library, or of a file, as part of a message: printable, on one line, and not too long.

    >>> one_line(ValueError("at byte 7:" + chr(10) + " nothing")), one_line(KeyError()), one_line("abcdef", 3)
    ('at byte 7: nothing', 'KeyError', 'abc...')
    """
    text = printable(" ".join(str(reason).split())) or type(reason).__name__
    return text if len(text) <= longest else message(f"{text[:longest]}...")


def suggestion(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown ``name``: the nearest ``known`` name; if none is near, all (up to 40).

    >>> suggestion("gta", ["gta5", "synthia"]), suggestion("kitti", ["gta5", "synthia"])
    ("; did you mean 'gta5'?", '; known: gta5, synthia')
    """
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return message(f"; did you mean {near[0]!r}?")
    return message(f"; known: {', '.join(sorted(known))}") if 0 < len(known) <= LISTED_NAMES else ""
