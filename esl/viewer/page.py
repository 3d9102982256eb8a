"""The page: one file that holds style, scripts and the list of images, and opens from the file system."""

import json
from importlib import resources
from typing import Any

STYLE = "style.css"

SCRIPTS = ("data", "counts", "state", "layers", "canvas", "list", "classes", "threshold", "main")
"""In the order in which they run."""


def page(content: dict[str, Any]) -> str:
    """The HTML of the page that shows ``content``."""
    files = resources.files("esl.viewer") / "page"
    scripts = "\n".join((files / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS)
    text = (files / "page.html").read_text(encoding="utf-8")
    for mark, part in (
        ("/* style */", (files / STYLE).read_text(encoding="utf-8")),
        ("/* scripts */", scripts),
        ("/* data */", embedded(content)),  # the last: names may look like a mark
    ):
        before, _, after = text.partition(mark)
        text = before + part + after
    return text


def embedded(content: dict[str, Any]) -> str:
    """JSON for a `script` element: without any `<`, no text in it can end the element.

    >>> embedded({"a": "</script>"})
    '{"a":"\\\\u003c/script>"}'
    """
    text = json.dumps(content, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return text.replace("<", "\\u003c")
