"""The blocks of documents: commands, files, diffs."""

import re
from collections.abc import Iterator

from tests.configs import PROJECT


def indented_blocks(text: str, margin: str) -> Iterator[str]:
    """Runs of lines that begin with ``margin``, without it."""
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        if line.startswith(margin):
            block.append(line.removeprefix(margin))
        elif block and line.strip():
            yield "\n".join(block)
            block = []
        elif block:
            block.append("")
    if block:
        yield "\n".join(block).rstrip()


def extending_sections() -> dict[str, dict[str, str]]:
    """The sections of docs/extending.md that have a diff: title -> the text of its `diff` and its `python` block."""
    text = (PROJECT / "docs/extending.md").read_text(encoding="utf-8")
    return {
        title: dict(blocks)
        for title, *section in re.findall(r"^## (.+)\n((?:(?!^## ).*\n?)*)", text, re.M)
        if (blocks := re.findall(r"^```(diff|python)\n(.*?)^```$", *section, re.M | re.S))
    }
