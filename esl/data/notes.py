"""What is said next to defects: files that nearly fit, labels taken for images, kinds not read, images nearly black."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from esl.data.formats.base import Format, Listing, nfc
from esl.data.formats.folders import entries
from esl.data.formats.paths import dead_end, near_misses, unread
from esl.errors import message, printable

SHOWN_NAMES = 5
"""The most names of what is in a folder instead that a message gives."""


def nothing_there(name: str, format_: Format, root: Path, split: str, listing: Listing) -> str:
    """The message about a split without a sample: where its files are expected, and what is there instead."""
    splits = [repr(other) for other in format_.splits(root)]
    there = message(f"; it has images of {', '.join(splits)}") if splits else ""
    lines = [*nearly_fitting(root, listing), *not_read(root, listing)]
    if not lines and not splits:
        lines = [*dict.fromkeys(_dead_ends(root, listing))]
    near = "".join(f"\n  {printable(line)}" for line in lines)
    return message(f"{root}: no samples of {name} {split!r} there; expected {format_.layout(split)}{there}{near}")


def without_labels(root: Path, listing: Listing) -> Iterator[str]:
    """Where no label was found, though the folder of labels is there: a line about what is in it."""
    if listing.label_files is not None and not any(sample.label for sample in listing.samples):
        yield from (line for line in _dead_ends(root, listing) if not line.startswith(f"{root} "))


def _dead_ends(root: Path, listing: Listing) -> Iterator[str]:
    """For each pattern a line that says which part of it fits nothing, and what is there instead."""
    for pattern in listing.patterns:
        if (end := dead_end(root, pattern)) is not None:
            folder, part = end
            names = [entry.name for entry in entries(folder) if not entry.name.startswith(".")]
            more = message(f" and {len(names) - SHOWN_NAMES} more") if len(names) > SHOWN_NAMES else ""
            there = message(f"holds {', '.join(names[:SHOWN_NAMES])}{more}") if names else message("is empty")
            yield message(f"{folder} {there}, but expected {part} in it")


def nearly_fitting(root: Path, listing: Listing) -> Iterator[str]:
    """Where images or labels are missing: a line for each pattern that files nearly fit."""
    if listing.samples and all(sample.image and sample.label for sample in listing.samples):
        return
    known = {path for sample in listing.samples for path in (sample.image, sample.label)}
    for pattern in listing.patterns:
        if near := sorted(path for path in near_misses(root, pattern) if path not in known):
            more = message(f" and {len(near) - 1} more") if len(near) > 1 else ""
            form = "" if pattern.isascii() else message(", or the Unicode form of an accent (NFC, NFD)")
            yield message(
                f"{near[0]}{more}: nearly fits {pattern}, but for its ending or the case of a letter{form}; rename it, "
                "or correct the pattern"
            )


def not_read(root: Path, listing: Listing) -> Iterator[str]:
    """A line that counts the images of kinds that are not read."""
    counts: Counter[str] = sum((unread(root, pattern) for pattern in listing.patterns), Counter[str]())
    if counts:
        kinds = ", ".join(f"{count} {suffix}" for suffix, count in counts.most_common())
        yield message(f"{root}: not read: {kinds}; convert them to PNG or JPEG if they are to be used")


def dark(root: Path, highest: list[int], bits: int) -> Iterator[str]:
    """A line about 16-bit images whose values come from a sensor of fewer bits: their upper 8 bits are nearly black."""
    used = max(highest, default=0).bit_length()
    if highest and used < bits - 1:
        yield message(
            f"{root}: dark: no value of {len(highest)} image(s) of {bits} bits is above {max(highest)}; "
            f"if they have {used} bits, declare the dataset with `bits: {max(used, 9)}` to scale them"
        )


def dark_colours(root: Path, brightest: list[int]) -> Iterator[str]:
    """The same for colour images of 16 bits, of which ``bits`` scales none."""
    if brightest and max(brightest) < 2**6:
        yield message(
            f"{root}: dark: no value of {len(brightest)} colour image(s) of 16 bits is above "
            f"{256 * max(brightest) + 255}; `bits` scales grey alone: save them with 8 bits, scaled"
        )


def grey_palettes(root: Path, count: int) -> Iterator[str]:
    """A line about labels whose ids may be the greys of their palettes rather than the indices."""
    if count:
        yield message(
            f"{root}: {count} label(s) have a palette of greys, as tools that make files smaller give to grey ids; its "
            "indices are read: if the greys are the ids, save the labels as grey PNGs"
        )


def same_names(root: Path, listing: Listing) -> Iterator[str]:
    """A line about two folders with the same names in them, where all are taken as images: one may hold labels."""
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
            yield message(
                f"{root}: {first!r} and {folder!r} hold images of the same names; if one of them holds labels, declare "
                "the dataset (`datasets` in config/README.md): without that they are images too"
            )
            return
