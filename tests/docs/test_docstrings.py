"""Docstrings stand alone: an IDE shows each without its neighbours."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.configs import PROJECT

ROOMS = ("esl", "miniature", "workflow/planning")
LEANS_ON_ANOTHER = re.compile(r"(What|That|Those|The same|One of them|Of)\b")
"""Beginnings of noun clauses, and of sentences about the docstring above."""


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of every docstring of a module: also those of constants and fields, below their values."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for child in getattr(node, "body", ()) if not isinstance(node, ast.Lambda | ast.IfExp) else ():
            if (
                isinstance(child, ast.Expr)
                and isinstance(child.value, ast.Constant)
                and isinstance(child.value.value, str)
            ):
                yield child.lineno, child.value.value.strip()


def test_no_docstring_begins_in_the_middle_of_a_thought() -> None:
    assert [
        f"{path.relative_to(PROJECT)}:{line}: {text.splitlines()[0]}"
        for room in ROOMS
        for path in sorted((PROJECT / room).rglob("*.py"))
        for line, text in docstrings(path)
        if LEANS_ON_ANOTHER.match(text)
    ] == []
