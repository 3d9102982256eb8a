"""The pinhole camera of the miniature: metres in the street -> pixels in the image."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NEAR = 0.5
"""Metres: nearer points are moved here; this is exact for edges along the street."""

FAR = 160.0
"""Metres: the end of the ground, and the depth of the sky for fog."""


@dataclass(frozen=True)
class View:
    """A level camera, looking down the street.

    Street coordinates are metres: ``x`` to the right of the road's centre line, ``y`` up, ``z`` ahead of the camera.
    """

    width: int  # pixels
    height: int  # pixels
    focal: float  # pixels
    centre: float  # column of the vanishing point
    horizon: float  # row of the vanishing point
    x: float  # metres, position of the camera
    eye: float  # metres above the ground

    def project(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Pixel (column, row) of every point: (N, 3) metres -> (N, 2)."""
        scale = self.focal / np.maximum(points[:, 2], NEAR)
        pixels = np.empty((len(points), 2))
        pixels[:, 0] = self.centre + scale * (points[:, 0] - self.x)
        pixels[:, 1] = self.horizon + scale * (self.eye - points[:, 1])
        return pixels

    def ground_depth(self) -> NDArray[np.float32]:
        """Metres to the ground (below the horizon) or to an equally high ceiling (above it), per row: (height, 1)."""
        rows = np.abs(np.arange(self.height, dtype=np.float32) + 0.5 - self.horizon)
        depth: NDArray[np.float32] = np.minimum(self.focal * self.eye / np.maximum(rows, 0.1), FAR).astype(np.float32)
        return depth[:, None]

    def metres_per_pixel(self) -> NDArray[np.float32]:
        """Metres of every column to the right of the camera, at a depth of one metre: (1, width)."""
        columns = np.arange(self.width, dtype=np.float32) + 0.5
        return (columns[None, :] - np.float32(self.centre)) / np.float32(self.focal)

    def metres_up(self) -> NDArray[np.float32]:
        """Metres of every row above the eye, at a depth of one metre: (height, 1)."""
        rows = np.arange(self.height, dtype=np.float32) + 0.5
        return (np.float32(self.horizon) - rows[:, None]) / np.float32(self.focal)
