"""The ids of GTA5's label files: the ids of Cityscapes, and 34 for licence plates."""

from esl.classes import IGNORE, Label
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS

GTA5_LABELS = (*CITYSCAPES_LABELS, Label(34, "license plate", IGNORE, (0, 0, 142)))
