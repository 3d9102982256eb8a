"""Texts about folders, for people: nearly fitting files, folders of possible labels, kinds of files not read.

The code digest leaves this module out.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from esl.data.formats.base import Format, Listing, nfc
from esl.data.formats.folders import entries
from esl.data.formats.paths import dead_end, near_misses, unread
from esl.errors import printable

SHOWN_NAMES = 5
"""The most names of a folder's content in a message."""

IMAGES_BELOW = "images (png, jpg, webp, bmp, tif) in it or in folders below"
"""The layout of a folder of images."""


def nothing_there(name: str, format_: Format, root: Path, split: str, listing: Listing) -> str:
    """An error about a split without a sample: the expected paths of its files, and the content of the folder."""
    splits = [repr(other) for other in format_.splits(root)]
    there = f"; it has images of {', '.join(splits)}" if splits else ""
    lines = [*nearly_fitting(root, listing), *not_read(root, listing)]
    if not lines and not splits:
        lines = [*dict.fromkeys(_dead_ends(root, listing))]
    near = "".join(f"\n  {printable(line)}" for line in lines)
    return f"{root}: no samples of {name} {split!r} there; expected {format_.layout(split)}{there}{near}"


def without_labels(root: Path, listing: Listing) -> Iterator[str]:
    """A line about the content of the folder of labels if no label in it fits."""
    if listing.label_files is not None and not any(sample.label for sample in listing.samples):
        yield from (line for line in _dead_ends(root, listing) if not line.startswith(f"{root} "))


def _dead_ends(root: Path, listing: Listing) -> Iterator[str]:
    """A line for each pattern: its first part without a match, and the content of the folder there."""
    for pattern in listing.patterns:
        if (end := dead_end(root, pattern)) is not None:
            folder, part = end
            names = [entry.name for entry in entries(folder) if not entry.name.startswith(".")]
            more = f" and {len(names) - SHOWN_NAMES} more" if len(names) > SHOWN_NAMES else ""
            there = f"holds {', '.join(names[:SHOWN_NAMES])}{more}" if names else "is empty"
            yield f"{folder} {there}, but expected {part} in it"


def nearly_fitting(root: Path, listing: Listing) -> Iterator[str]:
    """A line for each pattern with nearly fitting files, if images or labels are missing."""
    if listing.samples and all(sample.image and sample.label for sample in listing.samples):
        return
    known = {path for sample in listing.samples for path in (sample.image, sample.label)}
    for pattern in listing.patterns:
        if near := sorted(path for path in near_misses(root, pattern) if path not in known):
            more = f" and {len(near) - 1} more" if len(near) > 1 else ""
            form = "" if pattern.isascii() else ", or the Unicode form of an accent (NFC, NFD)"
            yield (
                f"{near[0]}{more}: nearly fits {pattern}, but for its ending or the case of a letter{form}; rename it, "
                "or correct the pattern"
            )


def not_read(root: Path, listing: Listing) -> Iterator[str]:
    """A line with the number of images of each unsupported kind."""
    counts: Counter[str] = sum((unread(root, pattern) for pattern in listing.patterns), Counter[str]())
    if counts:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common())
        yield f"{root}: not read: {kinds}; convert them to PNG or JPEG if they are to be used"


def same_names(root: Path, listing: Listing) -> Iterator[str]:
    """A line about two folders of images with equal file names: one of them may hold labels."""
    if listing.label_files is not None:
        return
    folders: dict[str, set[str]] = {}
    for sample in listing.samples:
        folder, separator, name = sample.id.partition("__")
        if separator:
            folders.setdefault(folder, set()).add(nfc(name))
    owners: dict[frozenset[str], str] = {}
    for folder, names in sorted(folders.items()):
        if (first := owners.setdefault(frozenset(names), folder)) != folder:
            yield (
                f"{root}: {first!r} and {folder!r} hold images of the same names; if one of them holds labels, declare "
                "the dataset (`datasets` in config/README.md): without that they are images too"
            )
            return
