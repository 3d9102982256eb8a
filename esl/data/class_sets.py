"""Class sets: shipped ones, and declarations of a config."""

from collections.abc import Mapping, Sequence
from typing import Any

from esl.classes import IGNORE, ClassSet, Colour
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS, TRAIN_ID_LABELS
from esl.errors import InputError

_BY_NAME = {label.name: label for label in CITYSCAPES_LABELS}
_SPARE_COLOURS: tuple[Colour, ...] = (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75), (227, 119, 194),
    (127, 127, 127), (188, 189, 34), (23, 190, 207), (174, 199, 232), (255, 187, 120), (152, 223, 138),
    (255, 152, 150), (197, 176, 213), (196, 156, 148), (247, 182, 210), (199, 199, 199), (219, 219, 141),
    (158, 218, 229),
)  # fmt: skip


def _cityscapes_classes(
    name: str, *, without: Sequence[str] = (), subsets: Sequence[ClassSet] = (), foreign: Sequence[str] = ()
) -> ClassSet:
    """The evaluated classes of Cityscapes in the order of their trainIds, ``without`` some of them."""
    chosen = [label for label in TRAIN_ID_LABELS if label.id != IGNORE and label.name not in without]
    names = tuple(label.name for label in chosen)
    return ClassSet(
        name,
        names,
        tuple(label.colour for label in chosen),
        tuple((name,) for name in names),
        {other.name: other.classes for other in subsets},
        tuple(foreign),
    )


_NOT_IN_SYNTHIA = ("terrain", "truck", "train")
_SYNTHIA13 = _cityscapes_classes("synthia13", without=(*_NOT_IN_SYNTHIA, "wall", "fence", "pole"))
_CATEGORIES = {
    "flat": ("road", "sidewalk"),
    "construction": ("building", "wall", "fence"),
    "object": ("pole", "traffic light", "traffic sign"),
    "nature": ("vegetation", "terrain"),
    "sky": ("sky",),
    "human": ("person", "rider"),
    "vehicle": ("car", "truck", "bus", "train", "motorcycle", "bicycle"),
}

# The 11 classes of CamVid in SegNet's evaluation (Badrinarayanan et al. 2017), under the names of Cityscapes. Each
# joins labels of CamVid's release, and labels of Cityscapes, GTA5 and SYNTHIA of the same meaning.
_CAMVID = {
    "sky": ("sky",),
    "building": ("building", "wall", "bridge", "tunnel", "archway"),  # SegNet joins all buildings
    "pole": ("pole", "polegroup", "traffic cone"),  # SegNet counts cones as poles
    "road": ("road", "lane marking"),  # SYNTHIA labels markings on the road apart
    "sidewalk": ("sidewalk", "parking block", "road shoulder"),  # SegNet's pavement is the ground next to the road
    "vegetation": ("vegetation", "other vegetation", "terrain"),  # CamVid's VegetationMisc holds bushes and grass
    "traffic sign": ("traffic sign", "traffic light", "text"),  # SegNet joins lights with signs
    "fence": ("fence",),
    "car": ("car", "truck", "bus", "truck or bus", "train", "caravan", "trailer", "other vehicle"),  # every vehicle
    "person": ("person", "cart or luggage", "animal"),  # SegNet counts carts and animals as people
    "bicyclist": ("bicyclist", "motorcyclist", "rider", "bicycle", "motorcycle"),  # CamVid labels rider and bike as one
}

CLASS_SETS = {
    class_set.name: class_set
    for class_set in (
        _cityscapes_classes("cityscapes19"),
        # the 16 classes of both SYNTHIA and Cityscapes, and the 13 of them behind the literature's mIoU*; ESL leaves
        # pixels of the other three out of both, BDL, FDA, DAFormer and HRDA score them as errors
        _cityscapes_classes("synthia16", without=_NOT_IN_SYNTHIA, subsets=(_SYNTHIA13,), foreign=_NOT_IN_SYNTHIA),
        _SYNTHIA13,
        # the categories of Cityscapes (its label definitions), for ESL's adaptation to Mapillary Vistas; a label may
        # call itself by its category, as in Vistas
        ClassSet(
            "vistas7",
            tuple(_CATEGORIES),
            tuple(_BY_NAME[members[0]].colour for members in _CATEGORIES.values()),
            tuple(tuple(dict.fromkeys((*members, category))) for category, members in _CATEGORIES.items()),
        ),
        ClassSet(
            "camvid11",
            tuple(_CAMVID),
            tuple(_BY_NAME["bicycle" if name == "bicyclist" else name].colour for name in _CAMVID),
            tuple(_CAMVID.values()),
        ),
    )
}


def build_class_set(name: str, declaration: Mapping[str, Mapping[str, Any]]) -> ClassSet:
    """A class set of the user's own: class name -> ``labels`` (by default its own name) and ``colour`` (R, G, B).

    Without a colour, a class takes the colour of the Cityscapes label of its name, or one of matplotlib's ``tab20``.

    Raises:
        InputError: a label is part of two classes, or there are fewer than 2 or more than 255 classes.

    >>> build_class_set("two", {"drivable": {"labels": ["road", "parking"]}, "sky": {}}).members
    (('road', 'parking'), ('sky',))
    """
    if not 2 <= len(declaration) <= IGNORE:
        raise InputError(f"class_sets.{name}: expected 2 to {IGNORE} classes, but got {len(declaration)}")
    owners: dict[str, str] = {}
    for class_, entry in declaration.items():
        for label in entry.get("labels", [class_]):
            if label in owners:
                raise InputError(
                    f"class_sets.{name}: the label {label!r} is part of {owners[label]!r} and of {class_!r}; "
                    "a label can belong to one class only: remove it from one of them"
                )
            owners[label] = class_
    return ClassSet(
        name,
        tuple(declaration),
        tuple(_colour(class_, entry, position) for position, (class_, entry) in enumerate(declaration.items())),
        tuple(tuple(entry.get("labels", [class_])) for class_, entry in declaration.items()),
    )


def _colour(class_: str, entry: Mapping[str, Any], position: int) -> Colour:
    if "colour" in entry:
        red, green, blue = entry["colour"]
        return red, green, blue
    return _BY_NAME[class_].colour if class_ in _BY_NAME else _SPARE_COLOURS[position % len(_SPARE_COLOURS)]
