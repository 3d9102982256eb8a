"""Cityscapes (Cordts et al. 2016): pictures and ``gtFine`` labelIds, one folder per split and city."""

from pathlib import Path

from esl.classes import CITYSCAPES_LABELS
from esl.datasets.samples import Format, Sample, pair_up

PICTURE = "_leftImg8bit.png"
LABEL = "_gtFine_labelIds.png"


def find(root: Path, split: str) -> list[Sample]:
    """All samples of ``split`` ("train", "val", ...) over every city; the id is ``{city}_{sequence}_{frame}``."""
    pictures = {path.name.removesuffix(PICTURE): path for path in (root / "leftImg8bit" / split).glob(f"*/*{PICTURE}")}
    labels = {path.name.removesuffix(LABEL): path for path in (root / "gtFine" / split).glob(f"*/*{LABEL}")}
    return pair_up(pictures, labels)


FORMAT = Format(
    "cityscapes",
    CITYSCAPES_LABELS,
    f"leftImg8bit/{{split}}/CITY/ID{PICTURE} and gtFine/{{split}}/CITY/ID{LABEL}",
    find,
)
