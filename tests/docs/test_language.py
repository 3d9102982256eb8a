"""The documents are short sentences in plain English, and the README stays short."""

import re

import pytest

from tests.configs import PROJECT

PAGES = sorted(
    path.relative_to(PROJECT).as_posix()
    for pattern in ("*.md", "docs/*.md", "*/README.md")
    for path in PROJECT.glob(pattern)
    if not path.relative_to(PROJECT).parts[0].startswith(".")
)
RELATIVE = re.compile(r"\b(which|that|whose|what|whatever|those|where)\b", re.IGNORECASE)
"""Words that begin relative clauses. Texts of the field that read easily have about 1 in 100 words."""
NO_PROSE = (
    r"(?ms)^```.*?^```",  # fenced code
    r"(?m)^( {4}|\t).*$",  # commands and files
    r"(?s)<!-- keys: .*?<!-- end -->",  # tables generated from the settings classes
    r"(?s)<!--.*?-->",
    r"``.*?``|`[^`]*`",  # code in a sentence or a table
    r"!\[[^\]]*\]\([^)]*\)",  # images
    r"(?<=\])\([^)]*\)",  # targets of links; their text is prose
    r"https?://\S+",
)


def prose(text: str) -> str:
    """The sentences and hand-written tables of a page in Markdown."""
    for pattern in NO_PROSE:
        text = re.sub(pattern, " ", text)
    return text


def relative_words(text: str) -> float:
    """The number of relative words in 100 words of prose."""
    words = re.findall(r"[A-Za-z][A-Za-z'-]*", prose(text))
    return 100 * sum(bool(RELATIVE.fullmatch(word)) for word in words) / max(len(words), 1)


def test_relative_words_are_counted_in_prose_alone() -> None:
    text = "The file that it names, `what` else. [which](where.md)\n\n    python -m that\n\n```\nwhose\n```\n"
    assert prose(text).split() == ["The", "file", "that", "it", "names,", "else.", "[which]"]
    assert relative_words(text) == pytest.approx(100 * 2 / 7)


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_fewer_than_two_relative_words_in_a_hundred(page: str) -> None:
    assert relative_words((PROJECT / page).read_text(encoding="utf-8")) < 2


def test_the_readme_is_read_in_three_minutes() -> None:
    assert len((PROJECT / "README.md").read_text(encoding="utf-8").splitlines()) <= 140
