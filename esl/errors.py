"""Mistakes of users, and how they are put into words.

Modules called ``errors`` or ``notes`` hold nothing but texts for people: the code digest leaves them out.
"""

import difflib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from pydantic import ValidationError

LISTED_NAMES = 40
"""The most names that a suggestion lists."""


class InputError(ValueError):
    """A user error: a file, a setting or a dataset is wrong.

    The message names the file or key, says what was expected and how to fix it; stages print it without a traceback.
    """


@dataclass(frozen=True)
class Problem:
    """A mistake that is reported together with others, instead of raised at once.

    ``keys`` are the config keys or the files that it concerns; the line for people is ``str(problem)``.

    >>> str(Problem(("training.crop", "source.size"), "exclude each other; remove one"))
    'training.crop, source.size: exclude each other; remove one'
    """

    keys: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return ": ".join([*filter(None, [", ".join(self.keys)]), self.text])


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
    return text if len(text) <= longest else f"{text[:longest]}..."


def suggestion(name: str, known: Collection[str]) -> str:
    """The end of a message about an unknown ``name``: the nearest ``known`` name; if none is near, all (up to 40).

    >>> suggestion("gta", ["gta5", "synthia"]), suggestion("kitti", ["gta5", "synthia"])
    ("; did you mean 'gta5'?", '; known: gta5, synthia')
    """
    near = difflib.get_close_matches(name, known, n=1)
    if near:
        return f"; did you mean {near[0]!r}?"
    return f"; known: {', '.join(sorted(known))}" if 0 < len(known) <= LISTED_NAMES else ""


def dotted(path: Sequence[object]) -> str:
    r"""The path of a key as people write it; one that cannot be printed stands in quotation marks.

    >>> dotted(["training", "crop"]), dotted(["a\nb", 0]), dotted([])
    ('training.crop', "'a\\nb'.0", '(top level)')
    """
    parts = [str(part) for part in path]
    return ".".join(part if part.isprintable() else repr(part) for part in parts) or "(top level)"


def explanations(error: ValidationError) -> Iterator[str]:
    """One line for each mistake: the key, the expected value, the actual one."""
    for entry in error.errors(include_url=False):
        key = dotted([part for part in entry["loc"] if part != "[key]"])
        expected = entry["msg"].removeprefix("Value error, ")
        expected = expected[:1].lower() + expected[1:]
        value = entry["input"]
        got = f", but got {one_line(repr(value))}" if isinstance(value, str | int | float | bool | list) else ""
        got = "" if entry["type"] in ("extra_forbidden", "missing") else got
        yield f"{one_line(key)}: {one_line(expected, 1000)}{got}"


def explanations_below(name: str, error: ValidationError, known: Collection[str]) -> str:
    """The mistakes of ``explanations`` in one line, each key below ``name``; unknown keys with the likely one."""
    lines = []
    for entry, line in zip(error.errors(include_url=False), explanations(error), strict=True):
        if entry["type"] == "extra_forbidden":
            key = str(entry["loc"][-1])
            lines.append(f"{name}: unknown key {key!r}{suggestion(key, known)}")
        else:
            lines.append(f"{name}.{line}".replace(".(top level)", ""))
    return "; ".join(lines)
