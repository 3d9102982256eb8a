"""Turns a painted scene into a photograph: texture, sky, shadow, wet road, haze, lens and sensor."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from miniature.paint import Painting
from miniature.scene import ID
from miniature.textures import TEXELS, TILE, atlas
from miniature.view import View
from miniature.weather import Weather

Pixels = NDArray[np.float32]
CLOUD_TEXELS = 10.0  # per metre of a ceiling as high as the camera


def photograph(painting: Painting, view: View, weather: Weather, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The image (H, W, 3) uint8 of ``painting`` in ``weather``."""
    texture = _texture(painting, view, weather.masonry, rng)
    sky = painting.label == ID["sky"]
    light = painting.colour * (1 + np.where(sky, 0, texture))[..., None]
    light *= 1 - ((0.25 + weather.sun) * painting.shadow)[..., None]
    light = np.where(sky[..., None], _sky(view, weather, texture), light)
    light = _wet_road(light, painting, view, weather.wet, texture)
    light = _haze(light, painting, weather, sky)
    return _expose(light, view, weather, rng)


def _texture(painting: Painting, view: View, masonry: float, rng: np.random.Generator) -> Pixels:
    """The texture's gain (H, W) at every pixel, fading out as texels become smaller than pixels."""
    textures, material = atlas()
    sky = painting.label == ID["sky"]
    depth = np.where(sky, view.ground_depth(), painting.depth)
    across = depth * view.metres_per_pixel()
    ahead = np.where(painting.ground | sky, depth, depth * view.metres_up())
    scale = np.where(sky, np.float32(CLOUD_TEXELS), np.float32(TEXELS))
    shift_across, shift_ahead = rng.integers(0, TILE, 2)
    column = (across * scale).astype(np.int32) + shift_across & TILE - 1
    row = (ahead * scale).astype(np.int32) + shift_ahead & TILE - 1
    kind = material[painting.label]
    plain, rough = textures[kind, row, column], textures[kind + len(textures) // 2, row, column]
    fade = np.where(sky, 1.0, 1 / (1 + (depth / 25) ** 2))
    gain: Pixels = ((plain + masonry * (rough - plain)) * fade).astype(np.float32)
    return gain


def _sky(view: View, weather: Weather, noise: Pixels) -> Pixels:
    """A gradient with clouds (H, W, 3)."""
    rows = (np.arange(view.height, dtype=np.float32)[:, None] + 0.5) / max(view.horizon, 1.0)
    height = np.clip(1 - rows, 0, 1)[..., None]  # (H, 1, 1): 1 at the top, 0 at the horizon
    blue = weather.sky_low + height * (weather.sky_high - weather.sky_low)
    cover = np.clip((noise - 1.1 + 2.0 * weather.cloud) * 1.2, 0, 1)[..., None] * np.clip(3 * height, 0, 1)
    sky: Pixels = (blue + cover * 0.8 * (weather.cloud_colour - blue)).astype(np.float32)
    return sky


def _wet_road(light: Pixels, painting: Painting, view: View, wet: float, texture: Pixels) -> Pixels:
    """Mixes the scene above the horizon, upside down, into the road."""
    if wet == 0:
        return light
    rows = np.arange(view.height)
    mirrored = np.clip(np.round(2 * view.horizon - rows), 0, view.height - 1).astype(np.int64)
    puddle: Pixels = np.clip(0.7 + 4 * texture, 0.2, 1.3) * wet * (painting.label == ID["road"])
    wetted: Pixels = light + (puddle * 0.7)[..., None] * (light[mirrored] * 0.9 - light)
    return wetted


def _haze(light: Pixels, painting: Painting, weather: Weather, sky: NDArray[np.bool_]) -> Pixels:
    depth = np.where(sky, 0.0, painting.depth)
    clear = np.exp(-weather.haze * depth / 100)[..., None].astype(np.float32)
    return weather.sky_low + clear * (light - weather.sky_low)


def _expose(light: Pixels, view: View, weather: Weather, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Saturation, exposure, vignette, blur and noise."""
    grey = light.mean(axis=2, keepdims=True)
    light = grey + weather.saturation * (light - grey)
    columns = np.linspace(-1, 1, view.width, dtype=np.float32)[None, :]
    rows = np.linspace(-1, 1, view.height, dtype=np.float32)[:, None]
    lens = 1 - weather.vignette * (columns**2 + rows**2) / 2
    exposed = np.clip(light * np.exp2(weather.gain) * lens[..., None], 0, 1)
    sharp = Image.fromarray((exposed * 255).astype(np.uint8))
    blurred = sharp.filter(ImageFilter.GaussianBlur(weather.blur * view.height / 128))
    noise = rng.standard_normal((view.height, view.width, 3), dtype=np.float32) * (weather.noise * 255)
    return np.clip(np.asarray(blurred, dtype=np.float32) + noise + 0.5, 0, 255).astype(np.uint8)
