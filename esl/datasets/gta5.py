"""GTA5 (Richter et al. 2016, "Playing for Data"): numbered pictures and palette PNG labels of Cityscapes-like ids."""

from pathlib import Path

from esl.classes import GTA5_LABELS
from esl.datasets.samples import Format, Sample, pair_up


def find(root: Path, split: str) -> list[Sample]:
    """All samples; GTA5 is used whole in domain adaptation, so the only split is ``all``."""
    pictures = {path.stem: path for path in (root / "images").glob("*.png")}
    labels = {path.stem: path for path in (root / "labels").glob("*.png")}
    return pair_up(pictures, labels)


FORMAT = Format("gta5", GTA5_LABELS, "images/00001.png and labels/00001.png", find)
