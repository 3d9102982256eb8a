"""The models of the miniature: people, street furniture, trees and houses, and the table of all models."""

from functools import cache

import numpy as np

from miniature.shapes import Model, Shape, box, disc, flank, front, stroke
from miniature.vehicles import bicycle, bus, car, motorcycle, tram, truck


def person(stride: float) -> Model:
    """A pedestrian, legs ``stride`` apart."""
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


def rider(side: bool) -> Model:
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


def lights(lit: int) -> Model:
    """A traffic light of three bulbs; ``lit`` is the number of the bright one, from the top."""
    roles = ("light_red", "light_amber", "light_green")
    bulbs = [(role if i == lit else "light_off", 0.8 - 0.3 * i) for i, role in enumerate(roles)]
    return Model(
        [
            front("light_box", *box(-0.5, 0.0, 0.5, 1.0)),
            *(front(role, *disc(0.0, up, 0.32, 0.125)) for role, up in bulbs),
        ]
    )


def sign(kind: int) -> Model:
    """One of seven plates: prohibitions, stop, direction, warnings, board."""
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
def foliage(variant: int, trunk: bool) -> Model:
    """A tree (with a trunk) or a bush: ragged blobs, brighter towards the light."""
    rng = np.random.default_rng([7, variant])
    base, reach = (0.62, 0.3) if trunk else (0.42, 0.26)
    shapes = [front("trunk", (-0.06, 0.0), (-0.04, 0.5), (0.04, 0.5), (0.06, 0.0))] if trunk else []
    for across, up in zip(rng.uniform(-0.3, 0.3, 7), base + rng.uniform(-1, 1, 7) * reach * 0.7, strict=True):
        radius = rng.uniform(0.14, 0.22)
        ragged = 1 + 0.2 * rng.standard_normal(14)
        blob = np.array(disc(0, 0, radius, radius * (0.8 if trunk else 1.3), 14)) * ragged[:, None]
        blob += (across, max(up, 0.2))
        edge = [(float(u), float(max(v, 0.0))) for u, v in blob]
        lit = [(float(u * 0.7 + across * 0.3 + 0.02), float(max(v, 0.0) * 0.7 + up * 0.3 + 0.04)) for u, v in edge]
        shade = float(rng.uniform(0.65, 0.95))
        shapes += [front("foliage", *edge, shade=shade), front("foliage", *lit, shade=shade + 0.2)]
    return Model(shapes)


@cache
def bare_tree(variant: int) -> Model:
    """A tree in winter: a crown of twigs, a haze before the sky, and its branches. The label is solid, as in CamVid."""
    rng = np.random.default_rng([13, variant])
    shapes = []
    for across, up in zip(rng.uniform(-0.3, 0.3, 6), 0.66 + rng.uniform(-0.2, 0.2, 6), strict=True):
        ragged = 1 + 0.3 * rng.standard_normal(14)
        blob = np.array(disc(0, 0, 0.2, 0.17, 14)) * ragged[:, None] + (across, up)
        shapes.append(front("twigs", *((float(u), float(max(v, 0.0))) for u, v in blob), shade=rng.uniform(0.9, 1.1)))
    shapes.append(front("trunk", (-0.05, 0.0), (-0.03, 0.5), (0.03, 0.5), (0.05, 0.0)))
    for lean, root in zip(rng.uniform(-0.45, 0.45, 9), rng.uniform(0.3, 0.5, 9), strict=True):
        tip = (float(lean), float(rng.uniform(0.7, 0.98)))
        bend = (0.4 * tip[0], float(root + 0.6 * (tip[1] - root)))
        shapes += [front("trunk", *stroke((0.0, float(root)), bend, 0.025)), front("trunk", *stroke(bend, tip, 0.015))]
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
def fence(bars: int) -> Model:
    """Palings along the street before a dim gap: the label is solid, the image is not."""
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
def wall(courses: int) -> Model:
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
        front("pole", *box(-0.07, 0.0, 0.07, 0.97)),
        front("pole", *stroke((0.0, 0.955), (-0.9, 0.985), 0.05)),
        front("lantern", *box(-1.0, 0.955, -0.6, 0.99)),
    ]
)
_ARM = Model([front("pole", *box(-1.0, 0.0, 0.0, 1.0))])
_CRATE = Model(
    [flank("crate", *box(0, 0, 1, 1)), front("crate", *box(-0.5, 0, 0.5, 1)), front("trim", *box(-0.5, 0.8, 0.5, 0.88))]
)
_BONNET = Model([front("bonnet", (-0.5, 0), (-0.42, 0.6), (-0.2, 0.95), (0.2, 0.95), (0.42, 0.6), (0.5, 0))])

MODELS: dict[str, tuple[Model, ...]] = {
    "car rear": (car(False),),
    "car front": (car(True),),
    "bus rear": (bus(False),),
    "bus front": (bus(True),),
    "truck rear": (truck(False),),
    "truck front": (truck(True),),
    "tram rear": (tram(),),
    "tram front": (tram(),),
    "person": tuple(person(stride) for stride in (0.0, 0.08, 0.16)),
    "rider side": (rider(True),),
    "rider rear": (rider(False),),
    "bicycle side": (bicycle(True),),
    "bicycle rear": (bicycle(False),),
    "motorcycle side": (motorcycle(True),),
    "motorcycle rear": (motorcycle(False),),
    "lights": tuple(lights(lit) for lit in range(3)),
    "sign": tuple(sign(kind) for kind in range(7)),
    "tree": tuple(foliage(variant, True) for variant in range(9)),
    "bush": tuple(foliage(variant, False) for variant in range(9)),
    "bare tree": tuple(bare_tree(variant) for variant in range(9)),
    "post": (_POST,),
    "lamp": (_LAMP,),
    "arm": (_ARM,),
    "crate": (_CRATE,),
    "fence": tuple(fence(bars) for bars in (14, 18, 22)),
    "wall": tuple(wall(courses) for courses in (3, 4, 5)),
    "bonnet": (_BONNET,),
}
"""The models of every name; an object's variant picks one."""
