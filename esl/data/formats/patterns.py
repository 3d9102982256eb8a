"""A format defined by path patterns: most datasets of the field, and those that a config declares."""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from esl.data.formats.base import LabelFiles, Listing, pair_up
from esl.errors import InputError

WHOLE = "all"
"""The one split of a dataset that has none."""

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff")
"""The file names that count as images in a folder."""

_FIELD = re.compile(r"\{(\w+)\}|\*")


@dataclass(frozen=True)
class Layout:
    """Patterns of paths under the root.

    In a pattern ``{split}`` stands for the split, any other ``{name}`` for a part of a file's id, ``*`` for anything,
    none of them across folders: ``gt/{split}/{city}/{frame}_labelIds.png`` gives ids ``{city}_{frame}``. A pattern
    without any part of an id is a folder: all images in it, at any depth, are taken; their ids are their paths with
    ``__`` between the folders.
    """

    title: str
    images: tuple[str, ...]
    label_files: tuple[LabelFiles, ...] = ()
    """By priority: a split uses the first kind that it has any files of."""
    only: tuple[str, ...] = ()
    """The splits, where other folders would look like some; if empty, every ``{split}`` that has an image is one."""

    def layout(self, split: str) -> str:
        """The paths where files of ``split`` are expected, as text for messages."""
        kinds = [" or ".join(self.images)]
        if self.label_files:
            kinds.append(" or ".join(files.pattern for files in self.label_files))
        return " and ".join(kinds).replace("{split}", split) or "images"

    def splits(self, root: Path) -> list[str]:
        """The splits that have an image under ``root``; ``WHOLE`` for a dataset without splits."""
        if not self._has_splits():
            return [WHOLE] if any(next(find_files(root, pattern), None) for pattern in self.images) else []
        splits = {split for pattern in self.images for split in _splits_in(root, pattern)}
        return sorted(splits.intersection(self.only) if self.only else splits)

    def listing(self, root: Path, split: str) -> Listing:
        """Every sample of ``split`` under ``root``; InputError for a split that the dataset does not have."""
        if split != WHOLE and not self._has_splits():
            raise InputError(f"split {split!r}: {self.title} has no splits; ask for {WHOLE!r}")
        if self.only and split not in self.only:
            raise InputError(f"split {split!r}: {self.title} has the splits {', '.join(self.only)}")
        images = [file for pattern in self.images for file in find_files(root, pattern.replace("{split}", split))]
        kind, labels = None, list[tuple[str, Path]]()
        for kind in self.label_files:
            labels = list(find_files(root, kind.pattern.replace("{split}", split)))
            if labels:
                break
        else:
            kind = next(iter(self.label_files), None)
        samples, defects = pair_up(images, labels)
        return Listing(samples, kind, defects)

    def _has_splits(self) -> bool:
        return any("{split}" in pattern for pattern in self.images)


def find_files(root: Path, pattern: str) -> Iterator[tuple[str, Path]]:
    """Id and path of every file under ``root`` that matches ``pattern``; see ``Layout``."""
    if not is_pattern(pattern):
        folder = root / pattern
        for path in folder.rglob("*"):
            parts = path.relative_to(folder).with_suffix("").parts
            hidden = any(part.startswith(".") for part in parts)
            if path.suffix.lower() in IMAGE_SUFFIXES and not hidden and path.is_file():
                yield "__".join(parts), path
        return
    expression = re.compile(_as_expression(pattern))
    for path in root.glob(_as_glob(pattern)):
        match = expression.fullmatch(path.relative_to(root).as_posix())
        if match and not path.name.startswith("."):
            yield "_".join(match.groups()), path


def is_pattern(pattern: str) -> bool:
    """Whether ``pattern`` names single files rather than a folder.

    >>> is_pattern("frames/{split}"), is_pattern("frames/{split}/{frame}.jpg")
    (False, True)
    """
    return any(name != "split" for name in re.findall(r"\{(\w+)\}", pattern))


def _as_glob(pattern: str) -> str:
    """A pattern for ``Path.glob``, with its special characters such as ``[`` and ``?`` escaped."""
    return "*".join(glob.escape(piece) for piece in re.split(r"\{\w+\}|\*", pattern))


def _as_expression(pattern: str) -> str:
    """A pattern as a regular expression whose groups are the parts of the id."""
    pieces, end = [], 0
    for match in _FIELD.finditer(pattern):
        pieces += [re.escape(pattern[end : match.start()]), "[^/]*" if match[0] == "*" else "([^/]+?)"]
        end = match.end()
    return "".join([*pieces, re.escape(pattern[end:])])


def _splits_in(root: Path, pattern: str) -> Iterator[str]:
    """Every value of ``{split}`` for which there is an image."""
    if "{split}" not in pattern:
        return
    before, _, behind = pattern.partition("{split}")
    head, _, first = before.rpartition("/")  # the name of the folder may hold more than the split
    rest, _, _ = behind.partition("/")
    expression = re.compile(f"{_as_expression(first)}(?P<split>[^/]+?){_as_expression(rest)}")
    for folder in root.glob(_as_glob(head)) if head else [root]:
        for path in folder.iterdir() if folder.is_dir() else ():
            match = expression.fullmatch(path.name)
            if match and not path.name.startswith("."):
                split = match["split"]
                if next(find_files(root, pattern.replace("{split}", split)), None):
                    yield split
