"""Finds paths by patterns: see ``patterns.Layout``."""

import os
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from esl.data.formats.base import nfc
from esl.data.formats.folders import entries, walk

File = tuple[str, Path]
"""An id and a path."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""The endings of images in a folder."""

UNREAD_SUFFIXES = (
    ".heic", ".heif", ".avif", ".jp2", ".j2k", ".jxl", ".gif", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".psd",
    ".exr", ".hdr", ".tga", ".ppm", ".pgm", ".svg",
)  # fmt: skip
"""The endings of unsupported images."""

_FIELD = re.compile(r"\{(\w+)\}|\*")


def find_files(root: Path, pattern: str, fields: Collection[str] | None = None) -> Iterator[tuple[str, Path]]:
    """Id and path of every match of ``pattern`` under ``root``; see ``Layout``.

    With ``fields`` the ids consist of these parts alone.

    Raises:
        InputError: a folder cannot be listed.
    """
    if not names_files(pattern):
        folder = root / pattern
        for path in walk(folder):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                yield "__".join(path.relative_to(folder).with_suffix("").parts), path
        return
    names = [name for name in _FIELD.findall(pattern) if name]
    expression = re.compile("/".join(map(_as_expression, _parts(pattern))))
    for path in matching(root, pattern):
        match = expression.fullmatch(path.relative_to(root).as_posix())
        if match and not path.name.startswith("."):
            parts = zip(names, match.groups(), strict=True)
            yield "_".join(part for name, part in parts if fields is None or name in fields), path


def matching(root: Path, pattern: str) -> Iterator[Path]:
    """Every path under ``root`` with the parts of ``pattern``; links are followed.

    Raises:
        InputError: a folder cannot be listed.
    """
    parts = _parts(pattern)
    return _fitting(root, [re.compile(_as_expression(part)) if _FIELD.search(part) else part for part in parts])


def near_misses(root: Path, pattern: str) -> Iterator[Path]:
    """Paths with another case or Unicode form of letters, or another ending, than ``pattern`` asks for."""
    *parts, last = (_as_expression(part) for part in _parts(nfc(pattern)) or ["."])
    if names_files(pattern):
        endings = "|".join(re.escape(suffix) for suffix in (*IMAGE_SUFFIXES, *UNREAD_SUFFIXES))
        last = f"{last.rpartition(re.escape('.'))[0] or last}({endings})"
    exact = re.compile(_as_expression(pattern))
    for path in _fitting(root, [re.compile(part, re.IGNORECASE) for part in (*parts, last)], nfc):
        if not exact.fullmatch(path.relative_to(root).as_posix()) and not path.name.startswith("."):
            yield path


def dead_end(root: Path, pattern: str) -> tuple[Path, str] | None:
    """The first folder below ``root`` without a match for the next part of ``pattern``, and this part."""
    folder = root
    for part in _parts(pattern):
        expression = re.compile(_as_expression(part))
        found = next((entry for entry in entries(folder) if expression.fullmatch(entry.name)), None)
        if found is None:
            return folder, part
        folder = Path(found.path)
    return None


def unread(root: Path, pattern: str) -> Counter[str]:
    """The number of files of each of ``UNREAD_SUFFIXES``, if ``pattern`` is a folder."""
    files = walk(root / pattern) if not names_files(pattern) else ()
    return Counter(suffix for path in files if (suffix := path.suffix.lower()) in UNREAD_SUFFIXES)


def _fitting(folder: Path, parts: Sequence[str | re.Pattern[str]], form: Callable[[str], str] = str) -> Iterator[Path]:
    """Paths below ``folder`` by their parts: names, or expressions that fit them in some ``form``."""
    first, *rest = parts
    if isinstance(first, str):
        paths = [folder / first]
    else:
        paths = [Path(entry.path) for entry in entries(folder) if first.fullmatch(form(entry.name))]
    for path in paths:
        if rest:
            yield from _fitting(path, rest, form)
        elif not isinstance(first, str) or os.path.lexists(path):
            yield path


def fields_of(pattern: str) -> set[str]:
    """The parts of an id in a pattern."""
    return {name for name in _FIELD.findall(pattern) if name and name != "split"}


def splits_in(root: Path, pattern: str) -> Iterator[str]:
    """Every value of ``{split}`` with an image."""
    if "{split}" not in pattern:
        return
    before, _, behind = pattern.partition("{split}")
    head, _, first = before.rpartition("/")  # the name of the folder may hold more than the split
    rest, _, _ = behind.partition("/")
    expression = re.compile(f"{_as_expression(first)}(?P<split>[^/]+?){_as_expression(rest)}")
    for folder in matching(root, head) if head else [root]:
        for entry in entries(folder):
            match = expression.fullmatch(entry.name)
            if match and not entry.name.startswith("."):
                split = match["split"]
                if next(find_files(root, pattern.replace("{split}", split)), None):
                    yield split


def _parts(pattern: str) -> list[str]:
    """The names between the slashes of a pattern."""
    return [part for part in pattern.split("/") if part not in ("", ".")]


def names_files(pattern: str) -> bool:
    """Whether ``pattern`` names single files rather than a folder.

    >>> names_files("frames/{split}"), names_files("frames/{split}/{frame}.jpg")
    (False, True)
    """
    return any(name != "split" for name in re.findall(r"\{(\w+)\}", pattern))


def _as_expression(pattern: str) -> str:
    """A pattern as a regular expression, with a group for each part of the id."""
    pieces, end = [], 0
    for match in _FIELD.finditer(pattern):
        pieces += [re.escape(pattern[end : match.start()]), "[^/]*" if match[0] == "*" else "([^/]+?)"]
        end = match.end()
    return "".join([*pieces, re.escape(pattern[end:])])
