"""The method in 40 lines is the oracle of the chain: maps, thresholds from histograms, masks."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from esl.labels.confidence import confidence_maps
from esl.labels.fixed_point import CODES, TOP, count_codes
from esl.labels.methods.esl import Esl, EslSettings
from esl.models.predictor import stride_probability

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/esl_in_40_lines.py"
SIZE_HW = (33, 65)


def _logits(seed: int, sharpness: float) -> torch.Tensor:
    """(4, 19, 9, 17); the last class is never predicted."""
    generator = torch.Generator().manual_seed(seed)
    logits = sharpness * torch.randn(4, 19, 9, 17, generator=generator)
    logits[:, 18] -= 1000
    return logits


def _run_example(folder: Path, logits: torch.Tensor) -> np.ndarray:
    """The PNGs that the example's command line writes: (N, H, W)."""
    for number, logits_Chw in enumerate(logits.numpy()):
        np.save(folder / f"{number}.npy", logits_Chw)
    files = [str(folder / f"{number}.npy") for number in range(len(logits))]
    subprocess.run([sys.executable, EXAMPLE, folder / "png", "65x33", *files], check=True)
    return np.stack([np.asarray(Image.open(folder / f"png/{number}.png")) for number in range(len(logits))])


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 8.0])
def test_the_chain_gives_the_pseudo_labels_of_the_example(tmp_path: Path, sharpness: float) -> None:
    """Except for pixels whose entropy is within a code of the threshold, or whose two best classes are equal."""
    logits, method = _logits(int(10 * sharpness), sharpness), Esl(EslSettings())
    images = [confidence_maps(p_Chw, SIZE_HW, [method.measure]) for p_Chw in stride_probability(logits)]
    histogram = np.zeros((19, CODES), dtype=np.int64)
    for maps in images:
        count_codes(histogram, maps["label"], maps["entropy"])
    values = [threshold.value for threshold in method.thresholds({"entropy": histogram}, 1)]
    masks = np.stack([method.label(maps, values) for maps in images])

    label, entropy = (np.stack([maps[name] for maps in images]) for name in ("label", "entropy"))
    threshold = np.array([np.nan if value is None else value * TOP for value in values])[label]
    expected = _run_example(tmp_path, logits)
    differs = masks != expected
    near = np.abs(entropy - threshold) <= 1
    tied = (masks != 255) & (expected != 255)  # another class: the best two are equal to the last bit
    assert (near | tied)[differs].all()
    assert (tied & differs).sum() <= 2 and near.mean() < 0.02
    assert 0.3 < (masks != 255).mean() < 1 and not (masks == 18).any()
