"""Paints a scene back to front, image and label in one stroke.

Every polygon is drawn once, as colour plus the number of its *surface* in the fourth channel: image, label and depth
always agree, and only the colours are anti-aliased, when the drawing is halved.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from miniature.palette import Colours
from miniature.scene import HORIZON_PLOTS, ID, Scene, Thing
from miniature.view import FAR, NEAR, View

SCALE = 2  # the drawing is this much larger than the image
_GROUND = frozenset({"road", "sidewalk", "terrain", "parking"})
_DEPTHS = np.array([4.0, 6, 8, 11, 15, 20, 28, 40, 60, 90, FAR])  # metres, the steps of the haze
_SUN_SHADOW, _CONTACT_SHADOW = 120, 255

_NO_CONTACT = frozenset(ID[name] for name in ("building", "vegetation", "pole"))


@dataclass(frozen=True)
class Painting:
    """A painted scene: per pixel, before light and weather."""

    colour: NDArray[np.float32]  # (H, W, 3) in [0, 1]
    label: NDArray[np.uint8]  # (H, W) Cityscapes label ids
    depth: NDArray[np.float32]  # (H, W) metres
    shadow: NDArray[np.float32]  # (H, W) in [0, 1], on the ground only
    ground: NDArray[np.bool_]  # (H, W)


class Canvas:
    """The drawing of one scene, at ``SCALE`` times the size of its image."""

    def __init__(self, view: View, colours: dict[str, Colours], sky: Colours) -> None:
        size_wh = (view.width * SCALE, view.height * SCALE)
        self.view = view
        self.colours = {role: variants.tolist() for role, variants in colours.items()}
        self.surfaces: dict[tuple[int, int], int] = {}  # (label, depth step) -> number
        self.image = Image.new("RGBA", size_wh)
        self.shade = Image.new("L", (view.width, view.height))
        self._draw = ImageDraw.Draw(self.image)
        self._draw_shade = ImageDraw.Draw(self.shade)
        red, green, blue = (int(255 * channel) for channel in sky.tolist())
        self.image.paste((red, green, blue, self.surface(ID["sky"], FAR)), (0, 0, *size_wh))

    def surface(self, label: int, depth: float) -> int:
        """The number of the surface of ``label`` at ``depth`` metres."""
        return self.surfaces.setdefault((label, int(np.searchsorted(_DEPTHS[:-1], depth))), len(self.surfaces))

    def colour(self, role: str, tint: int, shade: float = 1.0) -> tuple[int, int, int]:
        """The colour of ``role`` in the variant of ``tint``, [0, 255]."""
        variants = self.colours[role]
        red, green, blue = variants[tint % len(variants)]
        full = 255.0 * shade
        return min(255, int(full * red)), min(255, int(full * green)), min(255, int(full * blue))

    def patch(self, role: str, label: int, corners: NDArray[np.float64], jitter: float = 1.0) -> None:
        """Fills the ground polygon ``corners`` (N, 3) metres."""
        pixels = (self.view.project(corners) * SCALE).ravel().tolist()
        self._draw.polygon(pixels, fill=(*self.colour(role, 0, jitter), self.surface(label, 0.0)))

    def thing(self, thing: Thing, light: float = 1.0) -> None:
        """Draws every shape of ``thing``'s model, mirrored to turn its flank to the camera."""
        model, number = thing.model, self.surface(thing.label, thing.at[2])
        pixels = self.view.project(_placed(model.points, thing, self.view.x)) * SCALE
        flat = pixels.ravel().tolist()
        shades = (0.88 + 0.24 * ((thing.tint >> 8) % 16) / 15) * light
        for shape, (start, end) in zip(model.shapes, model.spans, strict=True):
            fill = (*self.colour(shape.role, thing.tint, shape.shade * shades), number)
            self._draw.polygon(flat[2 * start : 2 * end], fill=fill)

    def shadow(self, corners: NDArray[np.float64], darkness: int) -> None:
        """Darkens the ground polygon ``corners`` (N, 3) metres."""
        self._draw_shade.polygon(self.view.project(corners).ravel().tolist(), fill=darkness)

    def finish(self) -> Painting:
        """Halves the drawing and reads label and depth from the surface numbers."""
        labels, steps = np.array(list(self.surfaces), dtype=np.int64).T
        assert len(labels) <= 256, "more surfaces than fit one byte"
        numbers = np.asarray(self.image)[SCALE // 2 :: SCALE, SCALE // 2 :: SCALE, 3]
        colour = np.asarray(self.image.convert("RGB").reduce(SCALE)).astype(np.float32) / np.float32(255)
        label = labels.astype(np.uint8)[numbers]
        ground = np.isin(label, [ID[name] for name in _GROUND])
        upright = np.array(_DEPTHS, dtype=np.float32)[steps][numbers]
        depth = np.where(ground, self.view.ground_depth(), upright).astype(np.float32)
        shadow = (np.asarray(self.shade, dtype=np.float32) / 255 * ground).astype(np.float32)
        return Painting(colour, label, depth, shadow, ground)


def _placed(points: NDArray[np.float64], thing: Thing, camera: float) -> NDArray[np.float64]:
    """A model's points (N, 3) in the street; mirrored left of the camera."""
    across, up, along = thing.size
    mirror = -1.0 if thing.at[0] < camera else 1.0
    return points * (mirror * across, up, along) + thing.at


def _floor(left: float, right: float, near: float, far: float) -> NDArray[np.float64]:
    return np.array([[left, 0, near], [left, 0, far], [right, 0, far], [right, 0, near]])


def paint(scene: Scene, colours: dict[str, Colours], *, sky: Colours, sun: float) -> Painting:
    """Paints ``scene`` before a plain ``sky`` (3,); shadows fall ``sun`` metres to the right per metre of height."""
    canvas = Canvas(scene.view, colours, sky)
    for patch in scene.patches:
        canvas.patch(patch.role, patch.label, _floor(patch.left, patch.right, patch.near, patch.far))
    for thing in scene.things:
        _cast_shadow(canvas, thing, sun)
    for thing in scene.things:
        sunny = thing.at[0] * sun > 0  # its flank faces the sun
        canvas.thing(thing, 1.0 if sunny else 0.9)
    if scene.bonnet:
        canvas.thing(scene.bonnet)
    return canvas.finish()


def _cast_shadow(canvas: Canvas, thing: Thing, sun: float) -> None:
    """Darkens the footprint swept along the sun's direction, and more so right under vehicles."""
    (x, y, near), (across, up, along) = thing.at, thing.size
    if near > HORIZON_PLOTS or thing.label == ID["ego vehicle"]:
        return
    along = max(along, 0.35)
    across = 0.3 if thing.label == ID["pole"] else across  # its shaft, not its arm
    reach = sun * min(up, 7.0)
    left, right = x - across / 2, x + across / 2
    low, high = (left, right + reach) if reach > 0 else (left + reach, right)
    canvas.shadow(_floor(low, high, max(near, NEAR), near + along), _SUN_SHADOW)
    if y == 0 and thing.label not in _NO_CONTACT:
        canvas.shadow(_floor(left, right, max(near - 0.15, NEAR), near + along), _CONTACT_SHADOW)
