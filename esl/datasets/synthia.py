"""SYNTHIA-RAND-CITYSCAPES (Ros et al. 2016): numbered pictures and labels of ids of its own.

``GT/LABELS`` holds PNGs of three 16-bit channels: class, instance, nothing. Where that folder is missing, the 8-bit ids
that some people have in ``GT/CLASSES`` are read instead; ``GT/COLOR`` holds no ids.
"""

from pathlib import Path

from esl.classes import SYNTHIA_LABELS
from esl.datasets.samples import Format, Sample, pair_up


def find(root: Path, split: str) -> list[Sample]:
    """All samples; SYNTHIA is used whole in domain adaptation, so the only split is ``all``."""
    labels = root / "GT" / "LABELS"
    if not labels.is_dir():
        labels = root / "GT" / "CLASSES"
    return pair_up(*({path.stem: path for path in folder.glob("*.png")} for folder in (root / "RGB", labels)))


FORMAT = Format("synthia", SYNTHIA_LABELS, "RGB/0000000.png and GT/LABELS/0000000.png", find, first_of_16_bits=True)
