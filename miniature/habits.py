"""The streets of every domain: widths, houses, and the number of objects of every kind.

The source is a wide, low American road; the target a narrow European one with trams, bicycles and people. Varied
streets are of either kind and between, and a little narrower.
"""

from dataclasses import dataclass

Range = tuple[float, float]


@dataclass(frozen=True)
class Part:
    """A model of an object, its class, and its box in metres."""

    model: str  # "{way}" becomes rear or front, "{pose}" becomes rear or side
    label: str
    size: tuple[float, float, float]  # across, up, along
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)  # across (outwards from the road), up, along


@dataclass(frozen=True)
class Kind:
    """A kind of object: its zone of the street and its range of distances (metres)."""

    zone: str
    parts: tuple[Part, ...]
    depth: Range = (6.5, 26.0)


_POST_2M = Part("post", "pole", (0.3, 2.9, 0.0))
_MAST = (Part("post", "pole", (0.36, 6.4, 0.0)), Part("arm", "pole", (4.0, 0.28, 0.0), (0.0, 6.1, 0.0)))
_LIGHTS = (0.62, 1.5, 0.0)

KINDS = {
    "car": Kind("lane", (Part("car {way}", "car", (1.9, 1.55, 4.3)),)),
    "parked car": Kind("kerb", (Part("car {way}", "car", (1.9, 1.5, 4.2)),), (6.0, 24.0)),
    "bus": Kind("lane", (Part("bus {way}", "bus", (2.6, 3.2, 11.0)),), (8.0, 22.0)),
    "truck": Kind("lane", (Part("truck {way}", "truck", (2.6, 3.6, 8.5)),), (8.0, 22.0)),
    "tram": Kind("track", (Part("tram {way}", "train", (2.6, 4.0, 22.0)),), (8.0, 22.0)),
    "cyclist": Kind(
        "lane",
        (
            Part("bicycle {pose}", "bicycle", (1.9, 1.1, 0.0)),
            Part("rider {pose}", "rider", (1.15, 1.35, 0.0), (0.0, 0.5, 0.0)),
        ),
        (4.5, 12.0),
    ),
    "motorcyclist": Kind(
        "lane",
        (
            Part("motorcycle {pose}", "motorcycle", (2.1, 1.15, 0.0)),
            Part("rider {pose}", "rider", (1.15, 1.25, 0.0), (0.0, 0.5, 0.0)),
        ),
        (4.5, 12.0),
    ),
    "parked bicycle": Kind("pavement", (Part("bicycle side", "bicycle", (1.9, 1.1, 0.0)),), (4.5, 12.0)),
    "parked motorcycle": Kind("kerb", (Part("motorcycle side", "motorcycle", (2.1, 1.15, 0.0)),), (5.5, 12.0)),
    "pedestrian": Kind("pavement", (Part("person", "person", (0.85, 1.8, 0.0)),), (4.5, 12.0)),
    "crossing pedestrian": Kind("road", (Part("person", "person", (0.85, 1.8, 0.0)),), (5.5, 13.0)),
    "lights": Kind("edge", (_POST_2M, Part("lights", "traffic light", _LIGHTS, (0.0, 2.7, 0.0))), (5.5, 16.0)),
    "mast lights": Kind(
        "edge",
        (
            *_MAST,
            Part("lights", "traffic light", (0.75, 1.8, 0.0), (-3.9, 5.2, 0.0)),
            Part("lights", "traffic light", (0.75, 1.8, 0.0), (-1.9, 5.2, 0.0)),
            Part("lights", "traffic light", (0.75, 1.8, 0.0), (0.0, 3.2, 0.0)),
        ),
        (9.0, 18.0),
    ),
    "sign": Kind("edge", (_POST_2M, Part("sign", "traffic sign", (1.1, 1.1, 0.0), (0.0, 2.2, 0.0))), (5.0, 15.0)),
    "lamp": Kind("edge", (Part("lamp", "pole", (2.6, 7.5, 0.0), (0.0, 0.0, 0.0)),), (6.0, 22.0)),
    "bollard": Kind("edge", (Part("post", "pole", (0.3, 1.1, 0.0)),), (5.0, 12.0)),
    "tree": Kind("yard", (Part("tree", "vegetation", (5.0, 6.5, 0.0)),), (9.0, 70.0)),
    "street tree": Kind("edge", (Part("tree", "vegetation", (3.8, 5.8, 0.0)),), (10.0, 50.0)),
    "bush": Kind("yard", (Part("bush", "vegetation", (2.8, 1.9, 0.0)),), (7.0, 45.0)),
    "crate": Kind("pavement", (Part("crate", "static", (0.6, 1.0, 0.6)),), (7.0, 25.0)),
}


@dataclass(frozen=True)
class Habits:
    """One domain's streets; ranges are uniform, ``expected`` holds Poisson means per image."""

    half_road: Range  # metres
    pavement: Range  # metres
    yard: Range  # metres of grass between pavement and houses
    yard_chance: float
    verge_chance: float  # of a strip of grass along the kerb
    parking_chance: float
    crossing_chance: float  # of a side street
    crosswalk_chance: float
    bonnet_chance: float
    house_chance: float  # of a house on a plot
    wall_chance: float  # of a wall between a plot and the street
    fence_chance: float
    floors: tuple[int, int]  # inclusive
    plot: Range  # metres along the street
    expected: dict[str, float]
    bare_chance: float = 0.0  # of winter: trees without leaves


_EXPECTED = {
    # the source, the target, varied streets
    "car": (2.6, 1.7, 2.2),
    "parked car": (1.4, 1.6, 1.6),
    "bus": (0.4, 0.36, 0.3),
    "truck": (0.4, 0.36, 0.3),
    "tram": (0.36, 0.44, 0.15),
    "cyclist": (0.45, 0.6, 0.6),
    "motorcyclist": (0.4, 0.4, 0.3),
    "parked bicycle": (0.5, 0.8, 0.6),
    "parked motorcycle": (0.2, 0.2, 0.2),
    "pedestrian": (1.4, 2.2, 2.4),
    "crossing pedestrian": (0.35, 0.5, 0.5),
    "lights": (0.7, 0.8, 0.8),
    "mast lights": (0.4, 0.3, 0.3),
    "sign": (1.2, 1.5, 1.5),
    "lamp": (1.3, 0.9, 1.4),
    "bollard": (0.2, 0.6, 0.6),
    "tree": (4.0, 1.6, 3.0),
    "street tree": (0.8, 1.5, 1.3),
    "bush": (2.2, 0.9, 1.6),
    "crate": (0.2, 0.3, 0.2),
}
"""The mean number of objects of every kind in an image (Poisson)."""


def _expected(column: int) -> dict[str, float]:
    """One column of the table."""
    return {kind: means[column] for kind, means in _EXPECTED.items()}


HABITS = {
    "source": Habits(
        half_road=(5.8, 8.2),
        pavement=(2.4, 3.8),
        yard=(2.0, 7.0),
        yard_chance=0.75,
        verge_chance=0.3,
        parking_chance=0.0,
        crossing_chance=0.5,
        crosswalk_chance=0.45,
        bonnet_chance=0.0,
        house_chance=0.72,
        wall_chance=0.22,
        fence_chance=0.22,
        floors=(1, 4),
        plot=(9.0, 18.0),
        expected=_expected(0),
    ),
    "target": Habits(
        half_road=(4.4, 6.2),
        pavement=(2.4, 4.2),
        yard=(1.5, 4.0),
        yard_chance=0.35,
        verge_chance=0.3,
        parking_chance=0.25,
        crossing_chance=0.4,
        crosswalk_chance=0.45,
        bonnet_chance=0.3,
        house_chance=0.82,
        wall_chance=0.2,
        fence_chance=0.2,
        floors=(3, 5),
        plot=(8.0, 15.0),
        expected=_expected(1),
    ),
    "varied": Habits(
        half_road=(3.2, 8.2),
        pavement=(1.6, 4.2),
        yard=(1.5, 7.0),
        yard_chance=0.55,
        verge_chance=0.3,
        parking_chance=0.15,
        crossing_chance=0.45,
        crosswalk_chance=0.3,
        bonnet_chance=0.0,
        house_chance=0.72,
        wall_chance=0.22,
        fence_chance=0.3,
        floors=(1, 5),
        plot=(8.0, 18.0),
        expected=_expected(2),
        bare_chance=0.4,
    ),
}
