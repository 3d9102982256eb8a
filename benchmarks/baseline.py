"""Pseudo-labels as papers describe them and their code mostly makes them: all in memory, every pixel sorted."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from benchmarks.scenes import CLASSES, SIZE


def plain_pseudo_labels(logits: Iterable[Tensor], count: int, folder: Path) -> None:
    """ESL's pseudo-labels of ``count`` logits (C, h, w) as PNGs in ``folder``.

    Two float64 buffers over the whole data set, a boolean selection and a sort for each class, a mask in C passes.
    """
    num_classes = len(CLASSES)
    label, entropy = np.zeros((count, *SIZE)), np.zeros((count, *SIZE))
    for number, logits_Chw in enumerate(logits):
        probability = F.interpolate(logits_Chw[None].softmax(dim=1), size=SIZE, mode="bilinear", align_corners=True)
        planes = probability[0].numpy().transpose(1, 2, 0)
        label[number] = np.argmax(planes, axis=2)
        entropy[number] = -np.sum(planes * np.log2(planes + 1e-30), axis=2) / np.log2(num_classes)
    thresholds = []
    for class_ in range(num_classes):
        values = entropy[label == class_]
        if len(values) == 0:
            thresholds.append(0.0)
            continue
        values = np.sort(values)
        thresholds.append(max(values[min(round(len(values) * 0.5), len(values) - 1)], 0.1))
    for number in range(count):
        kept = label[number].copy()
        for class_ in range(num_classes):
            kept[(label[number] == class_) & (entropy[number] > thresholds[class_])] = 255
        image = Image.fromarray(kept.astype(np.uint8))
        image.putpalette(CLASSES.palette())
        image.save(folder / f"{number:06d}.png")
