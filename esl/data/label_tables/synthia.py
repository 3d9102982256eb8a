"""The ids of SYNTHIA's label files."""

from esl.classes import IGNORE, Label
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS

_SYNTHIA_NAMES = (
    "void", "sky", "building", "road", "sidewalk", "fence", "vegetation", "pole", "car", "traffic sign", "person",
    "bicycle", "motorcycle", "parking slot", "road work", "traffic light", "terrain", "rider", "truck", "bus", "train",
    "wall", "lane marking",
)  # fmt: skip
_BY_NAME = {label.name: label for label in CITYSCAPES_LABELS}
SYNTHIA_LABELS = tuple(
    Label(id_, name, _BY_NAME[name].train_id if name in _BY_NAME else IGNORE) for id_, name in enumerate(_SYNTHIA_NAMES)
)
"""The 23 ids of SYNTHIA-RAND-CITYSCAPES (its README), under the names of Cityscapes."""
