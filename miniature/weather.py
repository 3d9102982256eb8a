"""The air, the light and the camera between a street and its image, in either domain.

``shift`` moves the target's weather away from the source's: 0 is the source's own, 1 the target's, 2 twice as far.
"""

from dataclasses import dataclass, fields

import numpy as np

from miniature.palette import Colours, hex_colours


@dataclass(frozen=True)
class Weather:
    """The air, the light and the camera; every field is a number or a colour, for blending."""

    sun: float  # depth of cast shadows, 0 none .. 1 black
    sky_high: Colours  # (3,), [0, 1]
    sky_low: Colours  # (3,), also the colour of the haze
    cloud: float  # cover, 0 .. 1
    cloud_colour: Colours  # (3,)
    haze: float  # share of light lost per 100 m, as an exponent
    wet: float  # mirroring of the road, 0 .. 1
    gain: Colours  # (3,) log2 of exposure and white balance
    saturation: float
    vignette: float  # light lost in the corners, 0 .. 1
    blur: float  # pixels of standard deviation in an image 128 pixels high
    noise: float  # standard deviation of the sensor, in [0, 1] units
    masonry: float  # 0 plaster and smooth asphalt .. 1 brick and setts


def _weather(skies: str, gain: tuple[float, float, float], **numbers: float) -> Weather:
    """A weather; ``skies`` are the colours above, at the horizon and of the clouds."""
    high, low, cloud = hex_colours(skies.split())
    return Weather(sky_high=high, sky_low=low, cloud_colour=cloud, gain=np.array(gain, dtype=np.float32), **numbers)


_CRISP = {"wet": 0.0, "vignette": 0.0, "blur": 0.0, "noise": 0.012, "masonry": 0.0}
_NOON = {"sun": 0.42, "cloud": 0.45, "haze": 0.25, "saturation": 1.1}
_MORNING = {"sun": 0.36, "cloud": 0.45, "haze": 0.35, "saturation": 1.05}
_CLEAR = {"sun": 0.48, "cloud": 0.3, "haze": 0.2, "saturation": 1.15}
_SUNNY = (
    _weather("3c7ce0 b4d8f4 ffffff", (0.05, 0.03, 0.0), **_NOON, **_CRISP),
    _weather("5a8ee4 d8e6f2 fffaf0", (0.14, 0.06, -0.06), **_MORNING, **_CRISP),
    _weather("2c6cd8 a0ccf4 ffffff", (0.0, 0.0, 0.04), **_CLEAR, **_CRISP),
)

_WORN = {"vignette": 0.4, "masonry": 1.0}
_OVERCAST = {"sun": 0.05, "cloud": 0.7, "haze": 0.9, "wet": 0.1, "saturation": 0.8, "blur": 0.3, "noise": 0.018}
_FOG = {"sun": 0.0, "cloud": 0.3, "haze": 2.4, "wet": 0.15, "saturation": 0.75, "blur": 0.4, "noise": 0.018}
_RAIN = {"sun": 0.0, "cloud": 0.8, "haze": 1.3, "wet": 0.6, "saturation": 0.85, "blur": 0.4, "noise": 0.022}
_DUSK = {"sun": 0.0, "cloud": 0.6, "haze": 0.8, "wet": 0.25, "saturation": 0.9, "blur": 0.3, "noise": 0.026}
_GLOOMY = (
    _weather("b4b8c0 d0d2d4 8c9098", (-0.22, -0.14, -0.16), **_OVERCAST, **_WORN),
    _weather("b8c0bc c4ccc8 a8b0ae", (-0.38, -0.14, -0.26), **_FOG, **_WORN),
    _weather("8c96a6 b0b8c2 646c78", (-0.5, -0.34, -0.12), **_RAIN, **_WORN),
    _weather("6c6c98 d8aca4 806c80", (-0.32, -0.58, -0.4), **_DUSK, **_WORN),
)


def _blend(ours: Weather, theirs: Weather, shift: float) -> Weather:
    moved = {
        f.name: getattr(ours, f.name) + shift * (getattr(theirs, f.name) - getattr(ours, f.name)) for f in fields(ours)
    }
    for name in ("sky_high", "sky_low", "cloud_colour", "sun", "wet", "vignette", "cloud", "masonry"):
        moved[name] = np.clip(moved[name], 0.0, 1.0)
    for name in ("saturation", "haze", "blur", "noise"):
        moved[name] = max(float(moved[name]), 0.0)
    return Weather(**moved)


def sample_weather(rng: np.random.Generator, shift: float) -> Weather:
    """One day's weather, ``shift`` times as far from a sunny day of the source as a gloomy one of the target is."""
    day, gloom = _SUNNY[int(rng.integers(len(_SUNNY)))], _GLOOMY[int(rng.integers(len(_GLOOMY)))]
    jitter = rng.normal(0, 1, 4).astype(np.float32)
    weather = _blend(day, gloom, shift)
    spread = 0.05 + 0.05 * shift
    return Weather(**{**vars(weather), "gain": weather.gain + spread * (jitter[0] + 0.6 * jitter[1:])})
