"""What the objects of the miniature look like: polygons in a unit box, each with the role of its colour.

A model's box has ``u`` in [-0.5, 0.5] across, ``v`` in [0, 1] up and ``w`` in [0, 1] along the street, near end first.
Shapes are listed back to front. The flank (``u = -0.5``) is the side that the camera sees; painting mirrors the model
where it stands left of the camera.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Shape:
    """A flat polygon: ``role`` names its colour in the palette, ``shade`` multiplies it."""

    role: str
    points: tuple[tuple[float, float, float], ...]
    shade: float = 1.0


class Model:
    """Shapes with their points stacked (N, 3), so that one projection serves all of them."""

    def __init__(self, shapes: Iterable[Shape]) -> None:
        self.shapes = tuple(shapes)
        self.points: NDArray[np.float64] = np.array([point for shape in self.shapes for point in shape.points])
        ends = np.cumsum([len(shape.points) for shape in self.shapes]).tolist()
        self.spans = list(zip([0, *ends[:-1]], ends, strict=True))


FLANK = 0.78
"""Shade of a flank beside a front: they face away from the light."""


def front(role: str, *uv: tuple[float, float], w: float = 0.0, shade: float = 1.0) -> Shape:
    """A polygon that faces the camera."""
    return Shape(role, tuple((u, v, w) for u, v in uv), shade)


def flank(role: str, *wv: tuple[float, float], u: float = -0.5, shade: float = FLANK) -> Shape:
    """A polygon on the side that the camera sees."""
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


def lit_disc(role: str, across: float, up: float, radius: float, radius_up: float) -> tuple[Shape, ...]:
    """A round blob that is brighter towards the light (foliage)."""
    return tuple(
        front(role, *disc(across + shift, up + shift, radius * size, radius_up * size), shade=shade)
        for shift, size, shade in ((0.0, 1.0, 0.72), (0.02, 0.8, 0.95), (0.04, 0.5, 1.15))
    )


def _car(oncoming: bool) -> Model:
    lamp, glass = ("lamp_white", (0.22, 0.42)) if oncoming else ("lamp_red", (0.08, 0.2))
    low, high = glass
    tail = 1.0 - low if oncoming else 0.82
    return Model(
        [
            flank("body", (low, 0.58), (high, 1.0), (0.68, 1.0), (tail, 0.58), u=-0.46),
            flank("glass", (low + 0.1, 0.62), (high + 0.03, 0.94), (0.5, 0.94), (0.5, 0.62), u=-0.47),
            flank("glass", (0.53, 0.62), (0.53, 0.94), (0.66, 0.94), (tail - 0.06, 0.62), u=-0.47),
            flank("body", (0.0, 0.16), (0.0, 0.55), (0.06, 0.6), (0.95, 0.6), (1.0, 0.5), (1.0, 0.16)),
            flank("trim", *stroke((0.03, 0.36), (0.97, 0.36), 0.03), u=-0.51),
            flank("tyre", *disc(0.19, 0.2, 0.085, 0.21), u=-0.51, shade=1.0),
            flank("rim", *disc(0.19, 0.2, 0.045, 0.11), u=-0.52, shade=1.0),
            flank("tyre", *disc(0.8, 0.2, 0.085, 0.21), u=-0.51, shade=1.0),
            flank("rim", *disc(0.8, 0.2, 0.045, 0.11), u=-0.52, shade=1.0),
            Shape("body", ((-0.5, 0.6, 0.02), (-0.46, 0.6, low), (0.46, 0.6, low), (0.5, 0.6, 0.02)), 1.12),
            Shape("body", ((-0.47, 0.58, low), (-0.37, 1.0, high), (0.37, 1.0, high), (0.47, 0.58, low))),
            Shape("glass", ((-0.41, 0.63, low), (-0.34, 0.94, high), (0.34, 0.94, high), (0.41, 0.63, low)), 1.1),
            front("tyre", *box(-0.46, 0.0, -0.28, 0.3)),
            front("tyre", *box(0.28, 0.0, 0.46, 0.3)),
            front("body", (-0.5, 0.2), (-0.5, 0.56), (-0.46, 0.62), (0.46, 0.62), (0.5, 0.56), (0.5, 0.2)),
            front("trim", *box(-0.48, 0.16, 0.48, 0.3)),
            front("grille", *box(-0.2, 0.34, 0.2, 0.44)),
            front("plate", *box(-0.14, 0.22, 0.14, 0.29)),
            front(lamp, *box(-0.48, 0.4, -0.28, 0.54)),
            front(lamp, *box(0.28, 0.4, 0.48, 0.54)),
        ]
    )


def _panes(count: int, start: float, end: float, low: float, high: float) -> list[Shape]:
    """A row of ``count`` windows along a flank."""
    step = (end - start) / count
    return [flank("glass", *box(start + step * (i + 0.1), low, start + step * (i + 0.9), high)) for i in range(count)]


def _bus(oncoming: bool) -> Model:
    lamp = "lamp_white" if oncoming else "lamp_red"
    return Model(
        [
            flank("bus", *box(0.0, 0.1, 1.0, 1.0)),
            *_panes(6, 0.04, 0.98, 0.48, 0.84),
            flank("bus_stripe", *box(0.0, 0.24, 1.0, 0.34)),
            *(flank("tyre", *disc(w, 0.13, 0.05, 0.15), u=-0.51) for w in (0.2, 0.76)),
            front("tyre", *box(-0.45, 0.0, -0.25, 0.15)),
            front("tyre", *box(0.25, 0.0, 0.45, 0.15)),
            front("bus", (-0.5, 0.1), (-0.5, 0.96), (-0.45, 1.0), (0.45, 1.0), (0.5, 0.96), (0.5, 0.1)),
            front("glass", *box(-0.44, 0.42 if oncoming else 0.55, 0.44, 0.82)),
            front("display", *box(-0.34, 0.86, 0.34, 0.95)),
            front("bus_stripe", *box(-0.5, 0.24, 0.5, 0.34)),
            front("trim", *box(-0.5, 0.1, 0.5, 0.17)),
            front(lamp, *box(-0.46, 0.18, -0.3, 0.26)),
            front(lamp, *box(0.3, 0.18, 0.46, 0.26)),
        ]
    )


def _truck(oncoming: bool) -> Model:
    cargo = (0.28, 1.0) if oncoming else (0.0, 0.74)
    cab = (0.0, 0.25) if oncoming else (0.77, 1.0)
    start, end = cargo
    ribs = [flank("cargo", *box(w, 0.24, w + 0.02, 0.98), shade=0.62) for w in np.linspace(start + 0.1, end - 0.1, 4)]
    face = [
        front("truck", *box(-0.48, 0.1, 0.48, 0.8)),
        front("glass", *box(-0.42, 0.48, 0.42, 0.73)),
        front("grille", *box(-0.3, 0.18, 0.3, 0.4)),
        front("lamp_white", *box(-0.46, 0.14, -0.32, 0.23)),
        front("lamp_white", *box(0.32, 0.14, 0.46, 0.23)),
    ]
    doors = [
        front("cargo", *box(-0.03, 0.26, 0.03, 0.96), shade=0.6),
        front("cargo", *box(-0.5, 0.93, 0.5, 0.97), shade=0.6),
        front("rim", *box(-0.2, 0.3, -0.17, 0.9)),
        front("rim", *box(0.17, 0.3, 0.2, 0.9)),
        front("trim", *box(-0.48, 0.12, 0.48, 0.2)),
        front("lamp_red", *box(-0.48, 0.13, -0.32, 0.21)),
        front("lamp_red", *box(0.32, 0.13, 0.48, 0.21)),
        front("plate", *box(-0.12, 0.13, 0.12, 0.19)),
    ]
    return Model(
        [
            flank("truck", *box(cab[0], 0.12, cab[1], 0.8)),
            flank("glass", *box(cab[0] + 0.04, 0.5, cab[1] - 0.06, 0.72)),
            flank("trim", *box(0.0, 0.12, 1.0, 0.22)),
            flank("cargo", *box(start, 0.22, end, 1.0)),
            *ribs,
            *(flank("tyre", *disc(w, 0.14, 0.07, 0.15), u=-0.51) for w in (0.14, 0.3, 0.86)),
            front("cargo", *box(-0.5, 0.22, 0.5, 1.0), w=start),
            front("tyre", *box(-0.47, 0.0, -0.22, 0.2)),
            front("tyre", *box(0.22, 0.0, 0.47, 0.2)),
            *(face if oncoming else doors),
        ]
    )


def _tram(oncoming: bool) -> Model:
    del oncoming  # a tram has a cab at either end
    return Model(
        [
            front("pole", *stroke((-0.1, 0.9), (0.1, 1.0), 0.03), w=0.3),
            front("pole", *stroke((-0.25, 1.0), (0.25, 1.0), 0.02), w=0.3),
            flank("tram", *box(0.0, 0.05, 1.0, 0.9)),
            flank("tram_band", *box(0.0, 0.4, 1.0, 0.8)),
            *_panes(9, 0.02, 1.0, 0.45, 0.75),
            flank("trim", *box(0.0, 0.03, 1.0, 0.1)),
            front(
                "tram",
                (-0.5, 0.05),
                (-0.5, 0.6),
                (-0.42, 0.88),
                (-0.3, 0.92),
                *[(-u, v) for u, v in ((-0.3, 0.92), (-0.42, 0.88), (-0.5, 0.6), (-0.5, 0.05))],
            ),
            front("glass", (-0.43, 0.42), (-0.37, 0.76), (0.37, 0.76), (0.43, 0.42)),
            front("display", *box(-0.22, 0.79, 0.22, 0.86)),
            front("tram_band", *box(-0.5, 0.3, 0.5, 0.36)),
            front("lamp_white", *disc(0.0, 0.21, 0.09, 0.06)),
            front("lamp_white", *disc(-0.36, 0.21, 0.06, 0.04)),
            front("lamp_white", *disc(0.36, 0.21, 0.06, 0.04)),
            front("trim", *box(-0.45, 0.02, 0.45, 0.1)),
        ]
    )


def _person(stride: float) -> Model:
    return Model(
        [
            front("trousers", (-0.22, 0.48), (0.02, 0.48), (-0.12 - stride, 0.0), (-0.32 - stride, 0.0)),
            front("trousers", (-0.02, 0.48), (0.22, 0.48), (0.32 + stride, 0.0), (0.12 + stride, 0.0), shade=0.85),
            front("shoe", *box(-0.36 - stride, 0.0, -0.1 - stride, 0.04)),
            front("shoe", *box(0.1 + stride, 0.0, 0.36 + stride, 0.04)),
            front("jacket", *stroke((-0.3, 0.78), (-0.42 + stride, 0.48), 0.14), shade=0.8),
            front("jacket", *stroke((0.3, 0.78), (0.42 - stride, 0.48), 0.14), shade=0.8),
            front("jacket", (-0.26, 0.46), (-0.34, 0.8), (-0.12, 0.85), (0.12, 0.85), (0.34, 0.8), (0.26, 0.46)),
            front("skin", *disc(0.0, 0.92, 0.17, 0.075)),
            front("hair", (-0.18, 0.93), (-0.14, 0.99), (0.0, 1.0), (0.14, 0.99), (0.18, 0.93), (0.0, 0.95)),
        ]
    )


def _rider(side: bool) -> Model:
    """A rider without the bike: hips low, arms forward (side view) or out to the handle bar (from behind)."""
    head = [front("skin", *disc(0.08 * side, 0.88, 0.13, 0.09)), front("helmet", *disc(0.08 * side, 0.93, 0.15, 0.07))]
    if not side:
        legs = [front("trousers", *stroke((s * 0.15, 0.4), (s * 0.22, 0.0), 0.2)) for s in (-1, 1)]
        arms = [front("jacket", *stroke((s * 0.26, 0.72), (s * 0.48, 0.42), 0.14), shade=0.8) for s in (-1, 1)]
        back = front("jacket", (-0.26, 0.34), (-0.34, 0.74), (0.0, 0.82), (0.34, 0.74), (0.26, 0.34))
        return Model([*legs, *arms, back, *head])
    return Model(
        [
            front("trousers", *stroke((-0.25, 0.38), (0.16, 0.26), 0.17)),
            front("trousers", *stroke((0.14, 0.3), (0.02, 0.0), 0.14), shade=0.85),
            front("jacket", (-0.38, 0.34), (-0.22, 0.76), (0.1, 0.8), (0.16, 0.66), (-0.08, 0.34)),
            front("jacket", *stroke((0.04, 0.72), (0.42, 0.46), 0.12), shade=0.8),
            *head,
        ]
    )


def _wheel(across: float, radius: float, radius_up: float) -> list[Shape]:
    return [
        front("tyre", *disc(across, radius_up, radius, radius_up, 16)),
        front("spokes", *disc(across, radius_up, radius * 0.72, radius_up * 0.72, 16)),
        front("tyre", *disc(across, radius_up, radius * 0.18, radius_up * 0.18, 8)),
    ]


def _bicycle(side: bool) -> Model:
    if not side:
        return Model(
            [
                front("tyre", *box(-0.16, 0.0, 0.16, 0.62)),
                front("frame", *box(-0.1, 0.4, 0.1, 0.9)),
                front("frame", *stroke((-0.5, 0.94), (0.5, 0.94), 0.12)),
                front("lamp_red", *box(-0.12, 0.62, 0.12, 0.74)),
            ]
        )
    joints = ((-0.3, 0.32), (-0.1, 0.72), (0.22, 0.75), (-0.02, 0.3))
    tubes = [(joints[0], joints[1]), (joints[0], joints[3]), (joints[1], joints[3]), (joints[1], joints[2])]
    tubes += [(joints[3], joints[2]), (joints[2], (0.3, 0.32)), (joints[2], (0.2, 0.95))]
    bars = [front("frame", *stroke(start, end, 0.07)) for start, end in tubes]
    saddle = front("tyre", *box(-0.2, 0.82, -0.02, 0.92))
    return Model(
        [*_wheel(-0.3, 0.2, 0.33), *_wheel(0.3, 0.2, 0.33), *bars, saddle, front("tyre", *box(0.12, 0.92, 0.3, 1.0))]
    )


def _motorcycle(side: bool) -> Model:
    if not side:
        return Model(
            [
                front("tyre", *box(-0.18, 0.0, 0.18, 0.6)),
                front("motorcycle", (-0.3, 0.4), (-0.34, 0.75), (0.34, 0.75), (0.3, 0.4)),
                front("motorcycle", *box(-0.2, 0.7, 0.2, 0.95), shade=0.8),
                front("rim", *stroke((-0.5, 0.92), (0.5, 0.92), 0.08)),
                front("lamp_red", *box(-0.16, 0.56, 0.16, 0.7)),
            ]
        )
    return Model(
        [
            *(
                front(role, *disc(u, 0.3, 0.17 * s, 0.3 * s))
                for u in (-0.33, 0.33)
                for role, s in (("tyre", 1), ("rim", 0.45))
            ),
            front("trim", *box(-0.16, 0.14, 0.14, 0.5)),
            front("rim", *stroke((0.33, 0.3), (0.2, 0.95), 0.06)),
            front(
                "motorcycle",
                (-0.42, 0.6),
                (-0.46, 0.76),
                (-0.1, 0.7),
                (0.05, 0.86),
                (0.26, 0.82),
                (0.2, 0.44),
                (-0.2, 0.44),
            ),
            front("tyre", (-0.44, 0.74), (-0.1, 0.68), (-0.08, 0.78), (-0.4, 0.82)),
            front("lamp_white", *disc(0.29, 0.76, 0.05, 0.08)),
        ]
    )


def _lights(lit: int) -> Model:
    roles = ("light_red", "light_amber", "light_green")
    bulbs = [(role if i == lit else "light_off", 0.8 - 0.3 * i) for i, role in enumerate(roles)]
    return Model(
        [
            front("light_box", *box(-0.5, 0.0, 0.5, 1.0)),
            *(front(role, *disc(0.0, up, 0.32, 0.125)) for role, up in bulbs),
        ]
    )


def _sign(kind: int) -> Model:
    plates = (
        [front("sign_red", *disc(0, 0.5, 0.5, 0.5)), front("sign_white", *disc(0, 0.5, 0.34, 0.34))],
        [front("sign_red", *disc(0, 0.5, 0.52, 0.52, 8)), front("sign_white", *box(-0.36, 0.4, 0.36, 0.6))],
        [front("sign_blue", *disc(0, 0.5, 0.5, 0.5)), front("sign_white", *stroke((0, 0.2), (0, 0.8), 0.18))],
        [
            front("sign_red", (-0.5, 0.0), (0.0, 1.0), (0.5, 0.0)),
            front("sign_white", (-0.26, 0.14), (0.0, 0.68), (0.26, 0.14)),
        ],
        [front("sign_yellow", (-0.5, 0.5), (0, 1), (0.5, 0.5), (0, 0)), front("trim", *box(-0.08, 0.25, 0.08, 0.75))],
        [front("sign_blue", *box(-0.5, 0.0, 0.5, 1.0)), front("sign_white", *box(-0.3, 0.25, 0.3, 0.75))],
        [
            front("sign_board", *box(-0.9, 0.05, 0.9, 0.95)),
            front("sign_white", *box(-0.7, 0.55, 0.6, 0.72)),
            front("sign_white", *box(-0.7, 0.25, 0.3, 0.42)),
        ],
    )
    return Model(plates[kind])


@cache
def _foliage(variant: int, trunk: bool) -> Model:
    rng = np.random.default_rng([7, variant])
    base, reach = (0.62, 0.3) if trunk else (0.42, 0.26)
    shapes = [front("trunk", (-0.06, 0.0), (-0.04, 0.5), (0.04, 0.5), (0.06, 0.0))] if trunk else []
    for across, up in zip(rng.uniform(-0.3, 0.3, 7), base + rng.uniform(-1, 1, 7) * reach * 0.7, strict=True):
        size = rng.uniform(0.14, 0.22)
        ragged = 1 + 0.2 * rng.standard_normal(14)
        blob = np.array(disc(0, 0, size, size * (0.8 if trunk else 1.3), 14)) * ragged[:, None] + (across, max(up, 0.2))
        edge = [(float(u), float(max(v, 0.0))) for u, v in blob]
        lit = [(float(u * 0.7 + across * 0.3 + 0.02), float(max(v, 0.0) * 0.7 + up * 0.3 + 0.04)) for u, v in edge]
        shade = float(rng.uniform(0.65, 0.95))
        shapes += [front("foliage", *edge, shade=shade), front("foliage", *lit, shade=shade + 0.2)]
    return Model(shapes)


def _windows(plane: str, floors: int, bays: int, shop: bool, variant: int) -> list[Shape]:
    """Rows of windows on the ``plane`` ("flank" or "front") of a building, a few of them lit."""
    rng = np.random.default_rng([11, floors, bays, variant])
    lit = rng.random((floors, bays)) < 0.25
    width, height = (0.5, 0.55) if variant % 3 else (0.8, 0.4)
    shapes = []
    for floor in range(floors):
        for bay in range(bays):
            middle, low = (bay + 0.5) / bays, (floor + 0.25) / floors
            wide, high = (0.84, 0.6) if shop and floor == 0 else (width, height)
            corners = box(middle - wide / 2 / bays, low, middle + wide / 2 / bays, low + high / floors)
            role = "shop" if shop and floor == 0 else "window_lit" if lit[floor, bay] else "window"
            if plane == "flank":
                shapes.append(flank(role, *corners))
            else:
                shapes.append(front(role, *[(u - 0.5, v) for u, v in corners]))
    return shapes


_PITCHED = (
    Shape("roof", ((-0.52, 1.0, 0.0), (0.0, 1.28, 0.0), (0.0, 1.28, 1.0), (-0.52, 1.0, 1.0))),
    front("facade", (-0.5, 1.0), (0.0, 1.28), (0.5, 1.0), shade=0.85),
)


@cache
def building(floors: int, bays: int, ends: int, variant: int) -> Model:
    """A house of ``floors`` storeys with ``bays`` windows along the street and ``ends`` windows on its near end."""
    shop = variant % 2 == 0
    return Model(
        [
            flank("facade", *box(0.0, 0.0, 1.0, 1.0)),
            *_windows("flank", floors, bays, shop, variant),
            flank("cornice", *box(0.0, 0.96, 1.0, 1.0)),
            flank("cornice", *box(0.0, 0.0, 1.0, 0.05), shade=0.6),
            *(_PITCHED if variant % 3 == 1 else ()),
            front("facade", *box(-0.5, 0.0, 0.5, 1.0), shade=0.92),
            *_windows("front", floors, ends, False, variant + 1),
            front("cornice", *box(-0.5, 0.96, 0.5, 1.0)),
        ]
    )


@cache
def _fence(bars: int) -> Model:
    """Palings along the street before a dim gap: the label is solid, the picture is not."""
    step = 1.0 / bars
    return Model(
        [
            flank("fence_gap", *box(0.0, 0.0, 1.0, 0.95), shade=1.0),
            *(flank("fence", *box(i * step, 0.0, (i + 0.42) * step, 1.0), shade=0.95) for i in range(bars)),
            flank("fence", *box(0.0, 0.22, 1.0, 0.32), shade=0.85),
            flank("fence", *box(0.0, 0.78, 1.0, 0.88), shade=1.05),
        ]
    )


@cache
def _wall(courses: int) -> Model:
    """A low wall in courses of blocks with a bright coping."""
    joints = [flank("wall", *box(0.0, i / courses, 1.0, i / courses + 0.05), shade=0.6) for i in range(1, courses)]
    blocks = [
        flank("wall", *box(w, i / courses, w + 0.006, (i + 1) / courses), shade=0.6)
        for i in range(courses)
        for w in np.arange(0.05 + 0.05 * (i % 2), 1.0, 0.1)
    ]
    faces = [flank("wall", *box(0, 0, 1, 1), shade=0.9), front("wall", *box(-0.5, 0, 0.5, 1), shade=1.0)]
    return Model([*faces, *joints, *blocks, flank("coping", *box(0.0, 0.92, 1.0, 1.0), shade=1.0)])


_POST = Model([front("pole", *box(-0.5, 0, 0.5, 1)), front("pole", *box(-0.5, 0, -0.1, 1), shade=1.3)])
_LAMP = Model(
    [
        front("pole", *box(-0.05, 0.0, 0.05, 0.97)),
        front("pole", *stroke((0.0, 0.955), (-0.9, 0.985), 0.03)),
        front("lantern", *box(-1.0, 0.955, -0.6, 0.99)),
    ]
)
_ARM = Model([front("pole", *box(-1.0, 0.0, 0.0, 1.0))])
_CRATE = Model(
    [flank("crate", *box(0, 0, 1, 1)), front("crate", *box(-0.5, 0, 0.5, 1)), front("trim", *box(-0.5, 0.8, 0.5, 0.88))]
)
_BONNET = Model([front("bonnet", (-0.5, 0), (-0.42, 0.6), (-0.2, 0.95), (0.2, 0.95), (0.42, 0.6), (0.5, 0))])

MODELS: dict[str, tuple[Model, ...]] = {
    "car rear": (_car(False),),
    "car front": (_car(True),),
    "bus rear": (_bus(False),),
    "bus front": (_bus(True),),
    "truck rear": (_truck(False),),
    "truck front": (_truck(True),),
    "tram rear": (_tram(False),),
    "tram front": (_tram(True),),
    "person": tuple(_person(stride) for stride in (0.0, 0.08, 0.16)),
    "rider side": (_rider(True),),
    "rider rear": (_rider(False),),
    "bicycle side": (_bicycle(True),),
    "bicycle rear": (_bicycle(False),),
    "motorcycle side": (_motorcycle(True),),
    "motorcycle rear": (_motorcycle(False),),
    "lights": tuple(_lights(lit) for lit in range(3)),
    "sign": tuple(_sign(kind) for kind in range(7)),
    "tree": tuple(_foliage(variant, True) for variant in range(9)),
    "bush": tuple(_foliage(variant, False) for variant in range(9)),
    "post": (_POST,),
    "lamp": (_LAMP,),
    "arm": (_ARM,),
    "crate": (_CRATE,),
    "fence": tuple(_fence(bars) for bars in (14, 18, 22)),
    "wall": tuple(_wall(courses) for courses in (3, 4, 5)),
    "bonnet": (_BONNET,),
}
"""The models of every name; an object's variant picks one."""
