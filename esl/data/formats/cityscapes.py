"""Cityscapes (Cordts et al. 2016): one folder per split and city; ids are ``{city}_{sequence}_{frame}``.

Fine labels come before coarse ones, and labelIds before the labelTrainIds that its scripts can make. The split
``train_extra`` has coarse labels only, and ``test`` dummies without any class.
"""

from esl.data.formats.base import LabelFiles
from esl.data.formats.patterns import Layout
from esl.data.label_tables import CITYSCAPES_LABELS, TRAIN_ID_LABELS

FORMAT = Layout(
    "Cityscapes (Cordts et al. 2016)",
    ("leftImg8bit/{split}/*/{frame}_leftImg8bit.png",),
    tuple(
        LabelFiles(f"{kind}/{{split}}/*/{{frame}}_{kind}_{ids}.png", labels)
        for kind in ("gtFine", "gtCoarse")
        for ids, labels in (("labelIds", CITYSCAPES_LABELS), ("labelTrainIds", TRAIN_ID_LABELS))
    ),
)
