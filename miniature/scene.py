"""Samples the objects of one street and their places: geometry without colours."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from miniature.habits import HABITS, KINDS, Habits, Kind, Part, Range
from miniature.objects import MODELS, building
from miniature.shapes import Model
from miniature.view import FAR, NEAR, View

ID = {label.name: label.id for label in CITYSCAPES_LABELS}
STOREY = 3.3  # metres
HORIZON_PLOTS = 95.0  # metres from the rows of houses to the skyline


@dataclass(frozen=True)
class Patch:
    """A rectangle on the ground, metres."""

    role: str
    label: int
    left: float
    right: float
    near: float
    far: float


@dataclass(frozen=True)
class Thing:
    """A model in the street: centre across, foot, near end; box in metres; ``tint`` picks its colours."""

    model: Model
    label: int
    at: tuple[float, float, float]
    size: tuple[float, float, float]
    tint: int

    @property
    def order(self) -> float:
        """Things are painted by falling order: the far end of long things, the depth of flat ones."""
        return self.at[2] + (self.size[2] if self.label in _BACKDROP else 0.15 * self.size[2])


_BACKDROP = {ID["building"], ID["wall"], ID["fence"]}


@dataclass(frozen=True)
class Street:
    """The cross-section of a street, metres from its centre line."""

    half_road: float
    verge: float
    pavement: float
    yards: tuple[float, float]  # left, right
    parking: bool
    side_street: Range | None  # near and far edge
    lanes: tuple[float, ...]

    @property
    def kerb(self) -> float:
        return self.half_road + (2.2 if self.parking else 0.0)

    @property
    def edge(self) -> float:
        """The outer edge of the pavement, next to yards or houses."""
        return self.kerb + self.verge + self.pavement


@dataclass(frozen=True)
class Scene:
    """A street as the camera sees it; ``things`` from far to near."""

    view: View
    patches: tuple[Patch, ...]
    things: tuple[Thing, ...]
    bonnet: Thing | None


def sample_scene(domain: str, rng: np.random.Generator, width: int, height: int) -> Scene:
    """A street of ``domain`` ("source", "target" or "varied") for an image of ``width`` x ``height`` pixels."""
    habits = HABITS[domain]
    street = _sample_street(habits, rng)
    own_lane = street.lanes[len(street.lanes) // 2]
    view = View(
        width=width,
        height=height,
        focal=height * rng.uniform(1.05, 1.2),
        centre=width * rng.uniform(0.42, 0.58),
        horizon=height * rng.uniform(0.4, 0.47),
        x=own_lane + rng.uniform(-0.5, 0.5),
        eye=rng.uniform(1.45, 1.75),
    )
    traffic = list(_traffic(habits, street, rng))
    tracks = [thing.at[0] for thing in traffic if thing.label == ID["train"]]
    patches = [*_ground(street), *_markings(habits, street, tracks, rng)]
    things = [*_skyline(rng), *_plots(habits, street, rng), *traffic]
    if habits.bare_chance > 0 and rng.random() < habits.bare_chance:
        things = [_without_leaves(thing) for thing in things]
    bonnet = None
    if rng.random() < habits.bonnet_chance:
        up = view.eye - rng.uniform(0.5, 0.7)
        bonnet = Thing(MODELS["bonnet"][0], ID["ego vehicle"], (view.x, 0, 1.5), (3.0, up, 0), 0)
    return Scene(view, tuple(patches), tuple(sorted(things, key=lambda thing: -thing.order)), bonnet)


def _sample_street(habits: Habits, rng: np.random.Generator) -> Street:
    half_road = rng.uniform(*habits.half_road)
    per_way = max(1, round(half_road / 3.4))
    middles = [(i + 0.5) * half_road / per_way for i in range(per_way)]
    yards = [rng.uniform(*habits.yard) if rng.random() < habits.yard_chance else 0.0 for _ in range(2)]
    near = rng.uniform(16.0, 45.0)
    return Street(
        half_road=half_road,
        verge=rng.uniform(0.8, 1.8) if rng.random() < habits.verge_chance else 0.0,
        pavement=rng.uniform(*habits.pavement),
        yards=(yards[0], yards[1]),
        parking=bool(rng.random() < habits.parking_chance),
        side_street=(near, near + rng.uniform(8.0, 12.0)) if rng.random() < habits.crossing_chance else None,
        lanes=(*(-m for m in reversed(middles)), *middles),
    )


def _ground(street: Street) -> Iterator[Patch]:
    """Bands along the street from the outside inwards, then the side street."""
    for side, yard in zip((-1, 1), street.yards, strict=True):
        bands = [
            ("sidewalk", "sidewalk", FAR) if yard == 0 else ("terrain", "terrain", FAR),
            ("sidewalk", "sidewalk", street.edge),
            ("terrain", "terrain", street.kerb + street.verge),
            ("kerbstone", "sidewalk", street.kerb + 0.25),
            ("parking", "parking", street.kerb),
            ("road", "road", street.half_road),
        ]
        for role, label, reach in bands:
            left, right = sorted((0.0, side * reach))
            yield Patch(role, ID[label], left, right, NEAR, FAR)
    if street.side_street:
        yield Patch("road", ID["road"], -FAR, FAR, *street.side_street)


def _markings(habits: Habits, street: Street, tracks: list[float], rng: np.random.Generator) -> Iterator[Patch]:
    road = ID["road"]
    gap = street.side_street or (FAR, FAR)
    for track in tracks:
        for rail in (-0.72, 0.72):
            yield Patch("rail", road, track + rail - 0.06, track + rail + 0.06, NEAR, FAR)
    per_way = len(street.lanes) // 2
    lines = [("centre_mark", 0.0)] if not tracks or per_way > 1 else []
    lines += [("lane_mark", s * i * street.half_road / per_way) for s in (-1, 1) for i in range(1, per_way)]
    start, dash, pause = rng.uniform(0, 6), rng.uniform(2.5, 4.0), rng.uniform(3.0, 6.0)
    for role, x in lines:
        for near in np.arange(NEAR - start, 60.0, dash + pause).tolist():
            if near + dash < gap[0] - 4 or near > gap[1] + 4:
                yield Patch(role, road, x - 0.1, x + 0.1, max(near, NEAR), max(near + dash, NEAR))
    if rng.random() < habits.crosswalk_chance:
        near = street.side_street[0] - 4.0 if street.side_street else rng.uniform(9.0, 22.0)
        for x in np.arange(-street.half_road + 0.4, street.half_road - 0.5, 1.1).tolist():
            yield Patch("crosswalk", road, x, x + 0.6, near, near + 3.2)
        yield Patch("lane_mark", road, 0.0, street.half_road, near - 1.4, near - 1.0)
    for _ in range(rng.integers(0, 4)):  # patched asphalt and manholes
        x, near = rng.uniform(-street.half_road, street.half_road - 2), rng.uniform(4, 25)
        yield Patch("repair", road, x, x + rng.uniform(0.5, 2.0), near, near + rng.uniform(0.6, 5.0))


def _skyline(rng: np.random.Generator) -> Iterator[Thing]:
    """Houses and trees at the far end of the street."""
    left = -90.0
    while left < 90.0:
        wide, far = rng.uniform(8, 24), HORIZON_PLOTS + rng.uniform(5, 40)
        if rng.random() < 0.55:
            high = rng.uniform(6, 24)
            model = building(max(2, round(high / STOREY)), 1, max(2, round(wide / 4)), int(rng.integers(6)))
            yield Thing(model, ID["building"], (left + wide / 2, 0, far), (wide, high, 5.0), _tint(rng))
        else:
            model = MODELS["bush"][int(rng.integers(9))]
            yield Thing(
                model, ID["vegetation"], (left + wide / 2, 0, far), (wide * 1.8, rng.uniform(6, 13), 0), _tint(rng)
            )
        left += wide * 0.9


def _plots(habits: Habits, street: Street, rng: np.random.Generator) -> Iterator[Thing]:
    """Houses, walls, fences and hedges along either side."""
    for side, yard in zip((-1, 1), street.yards, strict=True):
        near = rng.uniform(-6.0, 3.0)
        while near < HORIZON_PLOTS:
            length = rng.uniform(*habits.plot)
            if street.side_street and near < street.side_street[1] + 2 and near + length > street.side_street[0] - 2:
                if near + 4 < street.side_street[0] - 2:
                    length = street.side_street[0] - 2 - near
                else:
                    near = street.side_street[1] + 2
                    continue
            yield from _plot(habits, street.edge, side, yard, near, length, rng)
            near += length


def _plot(
    habits: Habits, edge: float, side: int, yard: float, near: float, length: float, rng: np.random.Generator
) -> Iterator[Thing]:
    choice = rng.random()
    built = rng.random() < habits.house_chance
    if built:
        floors, depth = int(rng.integers(habits.floors[0], habits.floors[1] + 1)), rng.uniform(8, 13)
        high = floors * STOREY * rng.uniform(0.95, 1.15)
        gap = rng.uniform(0.5, 2.5) if yard else 0.0
        model = building(floors, max(2, round(length / 3.2)), 3, int(rng.integers(6)))
        at = (side * (edge + yard + depth / 2), 0.0, near + gap)
        yield Thing(model, ID["building"], at, (depth, high, length - gap), _tint(rng))
    else:
        for _ in range(rng.integers(2, 5)):
            out = edge + rng.uniform(1.5, 9.0)
            size = (rng.uniform(4, 7), rng.uniform(5, 9), 0.0)
            model = MODELS["tree"][int(rng.integers(9))]
            yield Thing(model, ID["vegetation"], (side * out, 0, near + rng.uniform(0, length)), size, _tint(rng))
    chances = np.cumsum([habits.wall_chance, habits.fence_chance]) * (1.0 if yard or not built else 0.3)
    name = "wall" if choice < chances[0] else "fence" if choice < chances[1] else None
    if name:
        model = MODELS[name][int(rng.integers(3))]
        size = (0.25, rng.uniform(1.5, 2.4), length)
        yield Thing(model, ID[name], (side * (edge + 0.15), 0, near), size, _tint(rng))


def _traffic(habits: Habits, street: Street, rng: np.random.Generator) -> Iterator[Thing]:
    """Everything on road and pavement."""
    taken: list[tuple[float, float, float]] = []  # across, near, far
    for name, expected in habits.expected.items():
        for _ in range(rng.poisson(expected)):
            spot = _free_spot(KINDS[name], street, taken, rng)
            if spot is not None:
                yield from _assemble(KINDS[name], *spot, rng)


def _without_leaves(thing: Thing) -> Thing:
    """A tree in winter; any other thing unchanged."""
    leafy, bare = MODELS["tree"], MODELS["bare tree"]
    return replace(thing, model=bare[leafy.index(thing.model)]) if thing.model in leafy else thing


def _free_spot(
    kind: Kind, street: Street, taken: list[tuple[float, float, float]], rng: np.random.Generator
) -> tuple[float, float] | None:
    """A free place (across, near) for one of ``kind``; None if the street is too crowded."""
    wide = 1.0 + kind.parts[0].size[0] / 2
    for _ in range(6):
        near = float(np.exp(rng.uniform(*np.log(kind.depth))))
        x = _across(kind.zone, street, rng)
        far = near + kind.parts[0].size[2]
        if all(abs(x - other) > wide or far + 0.8 < start or near > end + 0.8 for other, start, end in taken):
            if kind.zone != "yard":
                taken.append((x, near, far))
            return x, near
    return None


def _across(zone: str, street: Street, rng: np.random.Generator) -> float:
    side = 1.0 if rng.random() < 0.5 else -1.0
    if zone == "lane":
        return float(rng.choice(street.lanes)) + rng.uniform(-0.3, 0.3)
    if zone == "track":
        return side * abs(street.lanes[len(street.lanes) // 2])
    inner, outer = {
        "road": (0.5, street.half_road),
        "kerb": (street.kerb - 1.2, street.kerb - 1.0),
        "edge": (street.kerb + 0.4, street.kerb + 0.7),
        "pavement": (street.kerb + street.verge + 0.6, street.edge - 0.2),
        "yard": (street.edge + 0.8, street.edge + 6.0),
    }[zone]
    return side * rng.uniform(inner, max(inner, outer))


def _assemble(kind: Kind, x: float, near: float, rng: np.random.Generator) -> Iterator[Thing]:
    tint = _tint(rng)
    scale = rng.uniform(0.92, 1.1)
    side = 1.0 if x > 0 else -1.0
    words = {"way": "rear" if x > 0 else "front", "pose": "side" if rng.random() < 0.55 else "rear"}
    for nearer, part in enumerate(kind.parts):
        yield _thing(part, words, (x, near - 0.02 * nearer), side, scale, tint)


def _thing(part: Part, words: dict[str, str], spot: tuple[float, float], side: float, scale: float, tint: int) -> Thing:
    name = part.model.format(**words)
    variants = MODELS[name]
    across, up, along = (length * scale for length in part.size)
    if name in ("bicycle rear", "motorcycle rear"):
        across *= 0.42
    at = (spot[0] + side * part.offset[0] * scale, part.offset[1] * scale, spot[1] + part.offset[2])
    return Thing(variants[tint % len(variants)], ID[part.label], at, (across, up, along), tint)


def _tint(rng: np.random.Generator) -> int:
    return int(rng.integers(1 << 20))
