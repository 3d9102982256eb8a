"""The label ids of Mapillary Vistas v1.2 in the order of its ``config.json``, and the miniature's use of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.classes import Colour
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS

# name, readable name, colour; the position is the id
_LABELS = (
    ("animal--bird", "Bird", "a52a2a"),
    ("animal--ground-animal", "Ground Animal", "00c000"),
    ("construction--barrier--curb", "Curb", "c4c4c4"),
    ("construction--barrier--fence", "Fence", "be9999"),
    ("construction--barrier--guard-rail", "Guard Rail", "b4a5b4"),
    ("construction--barrier--other-barrier", "Barrier", "5a7896"),
    ("construction--barrier--wall", "Wall", "66669c"),
    ("construction--flat--bike-lane", "Bike Lane", "8040ff"),
    ("construction--flat--crosswalk-plain", "Crosswalk - Plain", "8c8cc8"),
    ("construction--flat--curb-cut", "Curb Cut", "aaaaaa"),
    ("construction--flat--parking", "Parking", "faaaa0"),
    ("construction--flat--pedestrian-area", "Pedestrian Area", "606060"),
    ("construction--flat--rail-track", "Rail Track", "e6968c"),
    ("construction--flat--road", "Road", "804080"),
    ("construction--flat--service-lane", "Service Lane", "6e6e6e"),
    ("construction--flat--sidewalk", "Sidewalk", "f423e8"),
    ("construction--structure--bridge", "Bridge", "966464"),
    ("construction--structure--building", "Building", "464646"),
    ("construction--structure--tunnel", "Tunnel", "96785a"),
    ("human--person", "Person", "dc143c"),
    ("human--rider--bicyclist", "Bicyclist", "ff0000"),
    ("human--rider--motorcyclist", "Motorcyclist", "ff0064"),
    ("human--rider--other-rider", "Other Rider", "ff00c8"),
    ("marking--crosswalk-zebra", "Lane Marking - Crosswalk", "c88080"),
    ("marking--general", "Lane Marking - General", "ffffff"),
    ("nature--mountain", "Mountain", "40aa40"),
    ("nature--sand", "Sand", "e6a032"),
    ("nature--sky", "Sky", "4682b4"),
    ("nature--snow", "Snow", "beffff"),
    ("nature--terrain", "Terrain", "98fb98"),
    ("nature--vegetation", "Vegetation", "6b8e23"),
    ("nature--water", "Water", "00aa1e"),
    ("object--banner", "Banner", "ffff80"),
    ("object--bench", "Bench", "fa001e"),
    ("object--bike-rack", "Bike Rack", "648cb4"),
    ("object--billboard", "Billboard", "dcdcdc"),
    ("object--catch-basin", "Catch Basin", "dc8080"),
    ("object--cctv-camera", "CCTV Camera", "de2828"),
    ("object--fire-hydrant", "Fire Hydrant", "64aa1e"),
    ("object--junction-box", "Junction Box", "282828"),
    ("object--mailbox", "Mailbox", "212121"),
    ("object--manhole", "Manhole", "6480a0"),
    ("object--phone-booth", "Phone Booth", "8e0000"),
    ("object--pothole", "Pothole", "466496"),
    ("object--street-light", "Street Light", "d2aa64"),
    ("object--support--pole", "Pole", "999999"),
    ("object--support--traffic-sign-frame", "Traffic Sign Frame", "808080"),
    ("object--support--utility-pole", "Utility Pole", "000050"),
    ("object--traffic-light", "Traffic Light", "faaa1e"),
    ("object--traffic-sign--back", "Traffic Sign (Back)", "c0c0c0"),
    ("object--traffic-sign--front", "Traffic Sign (Front)", "dcdc00"),
    ("object--trash-can", "Trash Can", "8c8c14"),
    ("object--vehicle--bicycle", "Bicycle", "770b20"),
    ("object--vehicle--boat", "Boat", "9600ff"),
    ("object--vehicle--bus", "Bus", "003c64"),
    ("object--vehicle--car", "Car", "00008e"),
    ("object--vehicle--caravan", "Caravan", "00005a"),
    ("object--vehicle--motorcycle", "Motorcycle", "0000e6"),
    ("object--vehicle--on-rails", "On Rails", "005064"),
    ("object--vehicle--other-vehicle", "Other Vehicle", "804040"),
    ("object--vehicle--trailer", "Trailer", "00006e"),
    ("object--vehicle--truck", "Truck", "000046"),
    ("object--vehicle--wheeled-slow", "Wheeled Slow", "0000c0"),
    ("void--car-mount", "Car Mount", "202020"),
    ("void--ego-vehicle", "Ego Vehicle", "780a0a"),
    ("void--unlabeled", "Unlabeled", "000000"),
)

VISTAS_COLOURS: list[Colour] = [(red, green, blue) for red, green, blue in (bytes.fromhex(c) for _, _, c in _LABELS)]
"""The colour of every id."""

_OF_CITYSCAPES = {
    "road": "construction--flat--road",
    "sidewalk": "construction--flat--sidewalk",
    "parking": "construction--flat--parking",
    "rail track": "construction--flat--rail-track",
    "building": "construction--structure--building",
    "bridge": "construction--structure--bridge",
    "tunnel": "construction--structure--tunnel",
    "wall": "construction--barrier--wall",
    "fence": "construction--barrier--fence",
    "guard rail": "construction--barrier--guard-rail",
    "pole": "object--support--pole",
    "polegroup": "object--support--pole",
    "traffic light": "object--traffic-light",
    "traffic sign": "object--traffic-sign--front",
    "vegetation": "nature--vegetation",
    "terrain": "nature--terrain",
    "sky": "nature--sky",
    "person": "human--person",
    "rider": "human--rider--bicyclist",
    "car": "object--vehicle--car",
    "truck": "object--vehicle--truck",
    "bus": "object--vehicle--bus",
    "caravan": "object--vehicle--caravan",
    "trailer": "object--vehicle--trailer",
    "train": "object--vehicle--on-rails",
    "motorcycle": "object--vehicle--motorcycle",
    "bicycle": "object--vehicle--bicycle",
    "ego vehicle": "void--ego-vehicle",
}
"""Cityscapes label -> Vistas label, for the miniature; others are unlabeled in Vistas."""


def vistas_config() -> dict[str, Any]:
    """The content of ``config.json`` in the root of Vistas v1.2."""
    return {
        "labels": [
            {
                "color": [*colour],
                "instances": name.startswith(("animal", "human", "object")),
                "readable": readable,
                "name": name,
                "evaluate": name != "void--unlabeled",
            }
            for (name, readable, _), colour in zip(_LABELS, VISTAS_COLOURS, strict=True)
        ],
        "version": "1.1",
        "mapping": "public",
        "folder_structure": "{split}/{content}/{image_id:s}.{extension:s}",
    }


def vistas_ids() -> NDArray[np.uint8]:
    """Cityscapes label id -> id of Vistas: (256,) uint8."""
    ids = {name: id_ for id_, (name, _, _) in enumerate(_LABELS)}
    table = np.full(256, ids["void--unlabeled"], dtype=np.uint8)
    for label in CITYSCAPES_LABELS:
        table[label.id] = ids[_OF_CITYSCAPES.get(label.name, "void--unlabeled")]
    return table
