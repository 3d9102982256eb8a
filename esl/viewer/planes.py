"""One image for the page, small enough to travel: the photograph, and planes of bytes that stay exact.

Planes are sampled (nearest), three to a lossless WebP image, whose red, green and blue a canvas reads back unchanged.
"""

import base64
import io
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from esl.data.images import SizeWH

WIDTH, PIXELS = 512, 512 * 256
"""The most columns, and the most pixels, of a shown image."""

QUALITY = 80
"""The quality of the photograph, as WebP."""

Plane = NDArray[np.uint8]


def shown_wh(size_wh: SizeWH) -> SizeWH:
    """The size at which an image is shown: never enlarged, the aspect ratio kept.

    >>> shown_wh((1024, 512)), shown_wh((480, 360)), shown_wh((24, 16))
    ((512, 256), (418, 313), (24, 16))
    """
    width, height = size_wh
    scale = min(1.0, WIDTH / width, math.sqrt(PIXELS / (width * height)))
    return max(1, int(width * scale)), max(1, int(height * scale))


def sampled(plane: Plane, size_wh: SizeWH) -> Plane:
    """A plane (H, W) at another size, each pixel that of the nearest centre."""
    shapes = zip(plane.shape, size_wh[::-1], strict=True)
    rows, columns = (((np.arange(new) + 0.5) * old / new).astype(np.intp) for old, new in shapes)
    chosen: Plane = plane[rows[:, None], columns]
    return chosen


def photograph(image: NDArray[np.uint8]) -> str:
    """RGB (H, W, 3) as a small WebP, in base64."""
    return _webp(image, quality=QUALITY, method=2)


def packed(planes: Sequence[Plane]) -> list[str]:
    """Planes (H, W) of one size as lossless images in base64, three planes to each; missing ones are zero."""
    images = []
    for start in range(0, len(planes), 3):
        three = [*planes[start : start + 3]]
        three += [np.zeros_like(three[0])] * (3 - len(three))
        images.append(_webp(np.stack(three, axis=-1), lossless=True, quality=20, method=1))
    return images


def _webp(values: NDArray[np.uint8], **options: int | bool) -> str:
    buffer = io.BytesIO()
    Image.fromarray(values).save(buffer, format="WEBP", **options)
    return base64.b64encode(buffer.getvalue()).decode("ascii")
