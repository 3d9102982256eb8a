"""SYNTHIA-RAND-CITYSCAPES (Ros et al. 2016): numbered pictures and labels of ids of its own.

``GT/LABELS`` holds PNGs of three 16-bit channels: class, instance, nothing. Where that folder is missing, the 8-bit ids
that some people have in ``GT/CLASSES`` are read instead; ``GT/COLOR`` holds no ids.
"""

from esl.data.formats.base import LabelFiles
from esl.data.formats.patterns import Layout
from esl.data.label_tables import SYNTHIA_LABELS

FORMAT = Layout(
    "SYNTHIA-RAND-CITYSCAPES (Ros et al. 2016)",
    ("RGB/{number}.png",),
    tuple(
        LabelFiles(f"GT/{folder}/{{number}}.png", SYNTHIA_LABELS, "first_of_16_bits")
        for folder in ("LABELS", "CLASSES")
    ),
)
