"""The vocabulary of the models: flat polygons in a unit box, each with the role of its colour.

A model's box has ``u`` in [-0.5, 0.5] across, ``v`` in [0, 1] up and ``w`` in [0, 1] along the street, near end first.
Shapes are listed back to front. The flank (``u = -0.5``) is the side towards the camera; painting mirrors models left
of the camera.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shape:
    """A flat polygon: ``role`` names its colour in the palette, ``shade`` multiplies it."""

    role: str
    points: tuple[tuple[float, float, float], ...]
    shade: float = 1.0


class Model:
    """Shapes with their points stacked (N, 3), for one projection of all of them."""

    def __init__(self, shapes: Iterable[Shape]) -> None:
        self.shapes = tuple(shapes)
        self.points: NDArray[np.float64] = np.array([point for shape in self.shapes for point in shape.points])
        ends = np.cumsum([len(shape.points) for shape in self.shapes]).tolist()
        self.spans = list(zip([0, *ends[:-1]], ends, strict=True))


FLANK = 0.78
"""Shade of flanks relative to fronts: they face away from the light."""


def front(role: str, *uv: tuple[float, float], w: float = 0.0, shade: float = 1.0) -> Shape:
    """A polygon facing the camera."""
    return Shape(role, tuple((u, v, w) for u, v in uv), shade)


def flank(role: str, *wv: tuple[float, float], u: float = -0.5, shade: float = FLANK) -> Shape:
    """A polygon on the side towards the camera."""
    return Shape(role, tuple((u, v, w) for w, v in wv), shade)


def box(left: float, low: float, right: float, high: float) -> tuple[tuple[float, float], ...]:
    """The corners of an upright rectangle."""
    return ((left, low), (left, high), (right, high), (right, low))


def disc(across: float, up: float, radius: float, radius_up: float, sides: int = 12) -> tuple[tuple[float, float], ...]:
    """An ellipse as a polygon."""
    angles = 2 * np.pi * (np.arange(sides) + 0.5) / sides
    return tuple((across + radius * c, up + radius_up * s) for c, s in zip(np.cos(angles), np.sin(angles), strict=True))


def stroke(start: tuple[float, float], end: tuple[float, float], thick: float) -> tuple[tuple[float, float], ...]:
    """A straight bar, ``thick`` units across both axes."""
    along = np.subtract(end, start)
    normal = np.array([-along[1], along[0]]) * thick / 2 / max(float(np.hypot(*along)), 1e-9)
    corners = (start + normal, end + normal, end - normal, start - normal)
    return tuple((float(corner[0]), float(corner[1])) for corner in corners)
