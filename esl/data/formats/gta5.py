"""GTA5 (Richter et al. 2016, "Playing for Data"): numbered images and palette PNG labels of Cityscapes-like ids.

Domain adaptation uses all of it. The official parts ``train``, ``val`` and ``test`` are read from the download's
``split.mat``, or from lists such as ``train.txt`` with one number or file name per line.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np

from esl.data.formats.base import LabelFiles, Listing
from esl.data.formats.matlab import read_numbers
from esl.data.formats.patterns import WHOLE, Layout
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.errors import InputError, Problem

OFFICIAL_PARTS = {"train": "trainIds", "val": "valIds", "test": "testIds"}
"""The names of the parts in ``split.mat``."""


class Gta5(Layout):
    """GTA5 with its lists of parts."""

    def splits(self, root: Path) -> list[str]:
        """``all``, and every part with an image in its list, or with a damaged list, for ``listing`` to report."""
        whole = super().splits(root)
        images = {sample.id for sample in super().listing(root, WHOLE).samples if sample.image} if whole else set[str]()
        return [*whole, *(part for part in sorted(OFFICIAL_PARTS) if images and _names_any(root, part, images))]

    def listing(self, root: Path, split: str) -> Listing:
        """Every sample, or the samples of a part; InputError if the list of the part is missing or damaged."""
        whole = super().listing(root, WHOLE)
        if split == WHOLE:
            return whole
        ids, table = _read_list(root, split)
        samples = [sample for sample in whole.samples if sample.id in ids]
        absent = sorted(ids - {sample.id for sample in samples})
        defects = [Problem((str(root),), f"no image {id_!r}, but the list of {split!r} names it") for id_ in absent]
        return replace(whole, samples=samples, defects=whole.defects + defects, tables=(table,))


def _names_any(root: Path, part: str, ids: set[str]) -> bool:
    """Whether the list of a part names one of ``ids``, or is damaged."""
    if not any((root / name).is_file() for name in (f"{part}.txt", "split.mat")):
        return False
    try:
        return not ids.isdisjoint(_read_list(root, part)[0])
    except InputError:
        return True


def _read_list(root: Path, part: str) -> tuple[set[str], Path]:
    """The ids of a part, and the file of its list."""
    text, matlab = root / f"{part}.txt", root / "split.mat"
    if text.is_file():
        try:
            names = [line.strip() for line in text.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        except UnicodeDecodeError as error:
            raise InputError(f"{text}: expected text in UTF-8, one number or file name per line ({error})") from None
        climbing = [name for name in names if "/" in name or "\\" in name or name in (".", "..")]
        if climbing:
            raise InputError(f"{text}: {climbing[0]!r}: expected plain numbers or file names, such as 00001.png")
        return {name.removesuffix(".png") for name in names}, text
    if part in OFFICIAL_PARTS and matlab.is_file():
        numbers = read_numbers(matlab, OFFICIAL_PARTS[part])
        if not np.isin(numbers, np.arange(100_000)).all():
            raise InputError(f"{matlab}: {OFFICIAL_PARTS[part]} are not all numbers of images; obtain it again")
        return {f"{int(number):05d}" for number in numbers}, matlab
    raise InputError(
        f"{root}: no list of the part {part!r}; expected {text.name}, or the download's split.mat, or ask for {WHOLE!r}"
    )


FORMAT = Gta5("GTA5 (Richter et al. 2016)", ("images/{number}.png",), (LabelFiles("labels/{number}.png", GTA5_LABELS),))
