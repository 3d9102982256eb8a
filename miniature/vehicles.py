"""Cars, buses, trucks and trams, from behind or oncoming; bicycles and motorcycles, from behind or the side."""

import numpy as np

from miniature.shapes import Model, Shape, box, disc, flank, front, stroke


def car(oncoming: bool) -> Model:
    """A saloon: body, cabin, lamps of the end towards the camera."""
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


def bus(oncoming: bool) -> Model:
    """A bus: windows all along, a display above the windscreen."""
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


def truck(oncoming: bool) -> Model:
    """A truck: a windowless ribbed cargo box, the cab at its front."""
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


def tram() -> Model:
    """A tram: a cab at either end, a large windscreen, a current collector."""
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


def _wheel(across: float, radius: float, radius_up: float) -> list[Shape]:
    return [
        front("tyre", *disc(across, radius_up, radius, radius_up, 16)),
        front("spokes", *disc(across, radius_up, radius * 0.72, radius_up * 0.72, 16)),
        front("tyre", *disc(across, radius_up, radius * 0.18, radius_up * 0.18, 8)),
    ]


def bicycle(side: bool) -> Model:
    """A bicycle without its rider."""
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


def motorcycle(side: bool) -> Model:
    """A motorcycle without its rider."""
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
