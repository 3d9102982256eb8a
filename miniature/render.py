"""Renders one street scene: samples, paints and photographs it."""

import math

import numpy as np
from numpy.typing import NDArray

from esl.errors import InputError
from miniature.camera import photograph
from miniature.paint import paint
from miniature.palette import palette
from miniature.scene import sample_scene
from miniature.settings import SMALLEST
from miniature.weather import sample_weather

DOMAINS = ("source", "target", "varied")
SEVERITY = {"source": (0.0, 0.0), "target": (0.2, 1.4), "varied": (0.0, 1.4)}
"""The range of an image's own shift, as a multiple of the rendering's: some days are worse than others."""


def render_street(
    domain: str, *, seed: int, index: int, width: int, height: int, shift: float
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """One street scene: the image (H, W, 3) uint8 RGB and its label (H, W) uint8 of Cityscapes label ids.

    A pure function of its arguments. ``domain`` is "source" (sunny, wide, few trams and people), "target" (gloomy,
    narrow) or "varied" (streets and light of either and between, trees also bare); ``index`` >= 0 numbers the scenes of
    ``seed`` >= 0. ``shift`` >= 0 scales the visual distance of the other domains from the source, 0 is none; it changes
    no label and no source image.

    Raises:
        InputError: an argument is out of its range.
    """
    if domain not in DOMAINS:
        raise InputError(f"Expected `domain` to be one of {', '.join(DOMAINS)}, but got {domain!r}")
    if width < SMALLEST or height < SMALLEST:
        raise InputError(f"Expected an image of at least {SMALLEST} x {SMALLEST} pixels, but got {width} x {height}")
    if seed < 0 or index < 0:
        raise InputError(f"Expected `seed` and `index` to be >= 0, but got {seed} and {index}")
    if not (math.isfinite(shift) and shift >= 0):
        raise InputError(f"Expected `shift` to be a finite number >= 0, but got {shift}")
    scene_rng, look_rng = (np.random.default_rng([seed, DOMAINS.index(domain), part, index]) for part in (0, 1))
    scene = sample_scene(domain, scene_rng, width, height)
    severity = 0.0 if domain == "source" else shift * look_rng.uniform(*SEVERITY[domain])
    weather = sample_weather(look_rng, severity)
    colours = palette(severity)
    painting = paint(scene, colours, sky=weather.sky_low, sun=look_rng.uniform(-1.2, 1.2))
    return photograph(painting, scene.view, weather, look_rng), painting.label
