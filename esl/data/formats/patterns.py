"""A format defined by path patterns: most datasets of the field, and every declared one."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from esl.data.formats.base import LabelFiles, Listing, nfc, pair_up
from esl.data.formats.paths import File, fields_of, find_files, splits_in
from esl.data.images import DEPTH
from esl.errors import InputError, Problem

WHOLE = "all"
"""The one split of a dataset without splits."""

CONVERTED = "_labelTrainIds"
"""The suffix of labels converted to Cityscapes' trainIds by scripts such as DAFormer's, next to the originals."""


@dataclass(frozen=True)
class Layout:
    """Patterns of paths under the root.

    In a pattern ``{split}`` stands for the split, any other ``{name}`` for a part of a file's id, ``*`` for anything,
    none of them across folders: ``gt/{split}/{city}/{frame}_labelIds.png`` gives ids ``{city}_{frame}``. A pattern
    without any part of an id is a folder: all images in it, at any depth, are taken; their ids are their paths with
    ``__`` between the folders. A pattern of labels may have only some of the parts of an image's id: then images that
    differ in the others share a label.
    """

    title: str
    images: tuple[str, ...]
    label_files: tuple[LabelFiles, ...] = ()
    """Kinds of labels by priority: a split uses the first kind with any files in it."""
    only: tuple[str, ...] = ()
    """The splits, if other folders look like splits; if empty, every ``{split}`` with an image is one."""
    bits: int = DEPTH
    """The bits of the values in 16-bit images."""

    def layout(self, split: str) -> str:
        """The expected paths of files of ``split``, as text for messages."""
        kinds = [" or ".join(self.images)]
        if self.label_files:
            kinds.append(" or ".join(files.pattern for files in self.label_files))
        return " and ".join(kinds).replace("{split}", split) or "images"

    def splits(self, root: Path) -> list[str]:
        """The splits with an image under ``root``; ``WHOLE`` for a dataset without splits."""
        if not self._has_splits():
            return [WHOLE] if any(next(find_files(root, pattern), None) for pattern in self.images) else []
        splits = {split for pattern in self.images for split in splits_in(root, pattern)}
        return sorted(splits.intersection(self.only) if self.only else splits)

    def listing(self, root: Path, split: str) -> Listing:
        """Every sample of ``split`` under ``root``; InputError for an unknown split."""
        if split != WHOLE and not self._has_splits():
            raise InputError(f"split {split!r}: {self.title} has no splits; ask for {WHOLE!r}")
        if self.only and split not in (*self.only, "*"):
            raise InputError(f"split {split!r}: {self.title} has the splits {', '.join(self.only)}")
        patterns = [pattern.replace("{split}", split) for pattern in self.images]
        images = [file for pattern in patterns for file in find_files(root, pattern)]
        kind, labels, label_pattern = None, list[tuple[str, Path]](), ""
        for kind in self.label_files:
            label_pattern = kind.pattern.replace("{split}", split)
            labels = _without_converted(find_files(root, label_pattern), label_pattern)
            if labels:
                break
        else:
            kind = next(iter(self.label_files), None)
        labels, defects = self._one_for_each_image(root, patterns, images, label_pattern, labels)
        samples, more = pair_up(images, labels)
        tried = tuple(files.pattern.replace("{split}", split) for files in ([kind] if kind else ()))
        return Listing(samples, kind, [*defects, *more], patterns=(*patterns, *tried), bits=self.bits)

    def label_splits(self, root: Path) -> list[str]:
        """The splits with a label under ``root``, with or without an image."""
        splits = {split for files in self.label_files for split in splits_in(root, files.pattern)}
        return sorted(splits.intersection(self.only) if self.only else splits)

    def _one_for_each_image(
        self, root: Path, patterns: list[str], images: list[File], label_pattern: str, labels: list[File]
    ) -> tuple[list[File], list[Problem]]:
        """The labels under the ids of images, and defects.

        A label with only some of the parts of an image's id is repeated for every image with these parts.
        """
        fields = fields_of(label_pattern)
        if not fields or not labels or not all(fields < fields_of(pattern) for pattern in patterns):
            return labels, []
        _, defects = pair_up((), labels)
        shared = {path: nfc(part) for pattern in patterns for part, path in find_files(root, pattern, fields)}
        by_part = {nfc(part): path for part, path in labels}
        used = {shared[path] for _, path in images}
        pairs = [(id_, by_part[shared[path]]) for id_, path in images if shared[path] in by_part]
        return [*pairs, *(label for label in labels if nfc(label[0]) not in used)], defects

    def _has_splits(self) -> bool:
        return any("{split}" in pattern for pattern in self.images)


def _without_converted(files: Iterator[File], pattern: str) -> list[File]:
    """Label files without converted ones next to their originals; see ``CONVERTED``."""
    labels = list(files)
    if CONVERTED in pattern:
        return labels
    ids = {id_ for id_, _ in labels if not id_.endswith(CONVERTED)}
    return [label for label in labels if label[0] in ids or label[0].removesuffix(CONVERTED) not in ids]
