"""Tileable textures of the classes: brightness around 1, looked up by metres."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS

TILE = 256  # texels
TEXELS = 16.0  # per metre: a tile is 16 m wide

Texture = NDArray[np.float32]


def smooth(rng: np.random.Generator, cell: int) -> Texture:
    """Tileable noise of mean 0 and deviation 1, with blotches ``cell`` texels wide."""
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :])
    spectrum = np.fft.rfft2(rng.standard_normal((TILE, TILE))) * np.exp(-((frequency * cell * 2) ** 2))
    spectrum[0, 0] = 0
    noise: Texture = np.fft.irfft2(spectrum, s=(TILE, TILE)).astype(np.float32)
    noise /= noise.std()
    return noise


def _courses(rng: np.random.Generator, wide: int, high: int, joint: int) -> Texture:
    """Bricks or slabs of ``wide`` x ``high`` texels: brightness of their own, dark joints, every other row offset."""
    up, across = np.mgrid[0:TILE, 0:TILE]
    row = up // high
    column = (across + (row % 2) * (wide // 2)) % TILE // wide
    shade = rng.standard_normal((TILE, TILE))[row, column]
    dark = (up % high < joint) | ((across + (row % 2) * (wide // 2)) % wide < joint)
    return np.where(dark, -2.2, shade).astype(np.float32)


@cache
def atlas() -> tuple[Texture, NDArray[np.uint8]]:
    """Textures of every label in both styles, and the noise of the clouds.

    Returns the stack (2 * materials, TILE, TILE) float32 of gains around 0 (source style, then target style) and the
    material (256,) uint8 of every label id.
    """
    rng = np.random.default_rng(3)
    grain, leaf, patch, blotch, sky = (smooth(rng, cell) for cell in (1, 6, 14, 40, 9))
    bricks, slabs, setts, big_slabs = (
        _courses(rng, *block) for block in ((8, 4, 1), (16, 16, 1), (4, 4, 1), (32, 16, 2))
    )
    flat = np.zeros((TILE, TILE), dtype=np.float32)
    pairs = {  # label: source texture, target texture
        "": (0.02 * grain, 0.03 * grain),
        "road": (0.035 * grain + 0.03 * blotch, 0.05 * grain + 0.06 * blotch + 0.03 * patch),
        "sidewalk": (0.03 * grain + 0.03 * big_slabs, 0.03 * grain + 0.07 * slabs),
        "parking": (0.04 * grain + 0.04 * blotch, 0.1 * setts),
        "building": (0.02 * grain + 0.02 * blotch, 0.02 * grain + 0.09 * bricks + 0.05 * blotch),
        "wall": (0.05 * grain + 0.05 * patch, 0.1 * grain + 0.12 * patch),
        "vegetation": (0.1 * grain + 0.17 * leaf, 0.12 * grain + 0.2 * leaf),
        "terrain": (0.1 * grain + 0.06 * patch, 0.14 * grain + 0.1 * patch),
        "sky": (0.8 * blotch + 0.5 * patch + 0.2 * sky,) * 2,
        "ego vehicle": (flat, flat),
    }
    material = np.zeros(256, dtype=np.uint8)
    for number, name in enumerate(pairs):
        for label in CITYSCAPES_LABELS:
            if label.name == name:
                material[label.id] = number
    styles = [np.stack([pair[style] for pair in pairs.values()]) for style in (0, 1)]
    return np.concatenate(styles), material
