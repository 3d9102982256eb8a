"""Properties of the code as a whole."""

import ast

from tests.configs import PROJECT

MOST_SUBSCRIPTS = 90
"""Subscripts by a string in esl: of h5py's files, torch's states and pydantic's errors; contracts are objects."""


def test_few_values_are_looked_up_by_text() -> None:
    """mypy sees a misspelt attribute of an object, and no misspelt key."""
    subscripts = [
        node
        for path in (PROJECT / "esl").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    ]
    assert 0 < len(subscripts) <= MOST_SUBSCRIPTS
