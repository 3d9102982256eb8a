"""ESL in 40 lines: pseudo-labels from logits as the papers' code makes them, every pixel in memory and sorted.

    python examples/esl_in_40_lines.py pseudo_labels/ 1024x512 logits/*.npy

Each .npy holds the logits (C, h, w) of one image, at the network's stride; each becomes a PNG of trainIds, 255 ignored.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor


def pseudo_labels(logits: Iterable[Tensor], count: int, size_hw: tuple[int, int]) -> Iterator[NDArray[np.uint8]]:
    """Logits (C, h, w) of ``count`` target images -> their pseudo-labels (H, W)."""
    label, entropy = np.zeros((count, *size_hw)), np.zeros((count, *size_hw))
    for number, logits_Chw in enumerate(logits):
        # softmax at the network's stride, then upsampling of the probabilities
        p_CHW = F.interpolate(logits_Chw[None].softmax(dim=1), size=size_hw, mode="bilinear", align_corners=True)[0]
        p_HWC = p_CHW.numpy().transpose(1, 2, 0)
        label[number] = np.argmax(p_HWC, axis=2)
        entropy[number] = -np.sum(p_HWC * np.log2(p_HWC + 1e-30), axis=2) / np.log2(len(p_CHW))  # in [0, 1]
    thresholds = {}
    for class_ in np.unique(label):  # of all images
        values = np.sort(entropy[label == class_])
        median = values[min(round(len(values) * 0.5), len(values) - 1)]
        thresholds[class_] = max(median, 0.1)
    for number in range(count):
        kept = label[number].copy()
        for class_, threshold in thresholds.items():
            kept[(label[number] == class_) & (entropy[number] > threshold)] = 255
        yield kept.astype(np.uint8)


if __name__ == "__main__":
    folder, size_wh, *files = sys.argv[1:]
    width, height = (int(length) for length in size_wh.split("x"))
    masks = pseudo_labels((torch.from_numpy(np.load(file)) for file in files), len(files), (height, width))
    Path(folder).mkdir(parents=True, exist_ok=True)
    for file, mask in zip(files, masks, strict=True):
        Image.fromarray(mask).save(Path(folder) / f"{Path(file).stem}.png")
