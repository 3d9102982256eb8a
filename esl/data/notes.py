"""Texts about files, for people: the likely content of an unreadable image, and notes on values and ids.

The code digest leaves this module out.
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, TiffImagePlugin

SHOWN_DEFECTS = 40
"""The most printed defects, to fit a screen; the count includes all of them."""

SHOWN_IDS = 8
"""The most unknown ids of a label in its defect."""


def not_an_image(content: bytes, formats: Sequence[str]) -> str:
    """The likely content of a file unknown to all decoders of ``formats``, and the fix."""
    start = content[:200].lstrip().lower()
    if not content.strip(b"\0"):
        return f"not a readable image, but empty ({len(content)} bytes, all zero); obtain the file again"
    if start.startswith(b"version https://git-lfs"):
        return "not a readable image, but a pointer of Git LFS to it; run `git lfs pull` in its folder"
    if b"annex/objects/" in start:
        return "not a readable image, but a pointer of git-annex to it; run `git annex get` (`datalad get`) on it"
    if start.startswith((b"<!doctype html", b"<html")):
        return "not a readable image, but a web page, as a download without a login gives; download the file again"
    if content[4:8] == b"ftyp":  # ISO/IEC 14496-12, 4.3
        return "not a readable image, but HEIC or AVIF under another name; convert it to PNG or JPEG"
    if (bands := _tiff_bands(content)) is not None:
        parts = "it" if bands < 4 else "its red, green and blue bands"
        return f"a TIFF of {bands} band(s) in a form that is not read; save {parts} as PNG, with 8 or 16 bits"
    return f"not a readable image of {', '.join(formats)}; convert it"


def _tiff_bands(content: bytes) -> int | None:
    """The number of bands of a TIFF by its tags (TIFF 6.0, SamplesPerPixel); ``None`` for any other file."""
    try:
        file = io.BytesIO(content)
        tags = TiffImagePlugin.ImageFileDirectory_v2(file.read(8))
        file.seek(tags.next)
        tags.load(file)
        return int(tags.get(ExifTags.Base.SamplesPerPixel, 1))
    except Exception:  # Pillow's readers raise anything for a damaged file
        return None


def dark(root: Path, highest: list[int], bits: int) -> Iterator[str]:
    """A line about 16-bit images from a sensor of fewer bits: their upper 8 bits are nearly black."""
    used = max(highest, default=0).bit_length()
    if highest and used < bits - 1:
        yield (
            f"{root}: dark: no value of {len(highest)} image(s) of {bits} bits is above {max(highest)}; "
            f"if they have {used} bits, declare the dataset with `bits: {max(used, 9)}` to scale them"
        )


def dark_colours(root: Path, brightest: list[int]) -> Iterator[str]:
    """A line about nearly black colour images of 16 bits; ``bits`` does not scale colours."""
    if brightest and max(brightest) < 2**6:
        yield (
            f"{root}: dark: no value of {len(brightest)} colour image(s) of 16 bits is above "
            f"{256 * max(brightest) + 255}; `bits` scales grey alone: save them with 8 bits, scaled"
        )


def grey_palettes(root: Path, count: int) -> Iterator[str]:
    """A line about labels with a palette of greys: their ids may be the greys rather than the indices."""
    if count:
        yield (
            f"{root}: {count} label(s) have a palette of greys, as tools that make files smaller give to grey ids; "
            "the indices are read: if the greys are the ids, save the labels as grey PNGs"
        )


def unknown_label_ids(unknown: list[int], known: NDArray[np.bool_]) -> str:
    """The defect of a label with ids outside of ``known`` (256,), with the likely fix."""
    more = f" and {len(unknown) - SHOWN_IDS} more" if len(unknown) > SHOWN_IDS else ""
    if unknown == [1] and known[[0, 255]].all():
        fix = "labels of 1 bit hold 0 and 1: declare 1 where it says 255"
    elif unknown == [255] and known[[0, 1]].all():
        fix = "these masks hold 0 and 255: declare 255 where it says 1, or as null if it is ignored"
    else:
        fix = "is it really of this dataset's format?"
    return f"unknown label ids {unknown[:SHOWN_IDS]}{more}; {fix}"


def truncate(lines: list[str], most: int = SHOWN_DEFECTS) -> list[str]:
    """The first ``most`` lines, and a line with the number of the others.

    >>> truncate(["a", "b", "c"], 1)
    ['a', '... and 2 more']
    """
    return lines[:most] + ([f"... and {len(lines) - most} more"] if len(lines) > most else [])
