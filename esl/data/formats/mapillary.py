"""Mapillary Vistas (Neuhold et al. 2017), v1.2 and v2.0: images of many sizes, ids named by its own config file.

An id of Vistas is a position in the ``labels`` of its config file; the two versions count differently, so labels are
identified by name. A root with both versions is read as v1.2, the version of the literature.
"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from esl.classes import Label
from esl.data.formats.base import LabelFiles, Listing
from esl.data.formats.patterns import Layout
from esl.errors import InputError, explanations
from esl.files import read_json

IMAGES = "{split}/images/{key}.jpg"

CONFIGS = (
    ("config_v1.2.json", "{split}/v1.2/labels/{key}.png"),
    ("config.json", "{split}/labels/{key}.png"),
    ("config_v2.0.json", "{split}/v2.0/labels/{key}.png"),
)
"""Config files and the paths of their labels: v1.2 in the download of v2.0, v1.2 itself, and v2.0."""

# Prefixes of the label names of Vistas, each with alternative names; a class set is searched for them in this order:
# the category (the table in the code of Vu et al. 2019, "DADA"); the Cityscapes label of the same meaning; and its
# class in evaluations of Vistas in 19 classes. DADA counts terrain as flat and ignores sand and snow;
# here all three are nature, as terrain is in Cityscapes, since sources are labelled so.
_ALIASES = {
    "construction--barrier": ("construction",),
    "construction--barrier--curb": ("construction", "sidewalk"),
    "construction--barrier--fence": ("construction", "fence"),
    "construction--barrier--guard-rail": ("construction", "guard rail", "fence"),
    "construction--barrier--wall": ("construction", "wall"),
    "construction--flat": ("flat", "road"),
    "construction--flat--curb-cut": ("flat", "sidewalk"),
    "construction--flat--parking": ("flat", "parking", "road"),
    "construction--flat--rail-track": ("flat", "rail track", "road"),
    "construction--flat--pedestrian-area": ("flat", "sidewalk"),
    "construction--flat--sidewalk": ("flat", "sidewalk"),
    "construction--flat--traffic-island": ("flat", "sidewalk"),
    "construction--structure": ("construction", "building"),
    "construction--structure--bridge": ("construction", "bridge", "building"),
    "construction--structure--tunnel": ("construction", "tunnel", "building"),
    "human--person": ("human", "person"),
    "human--rider": ("human", "rider"),
    "marking": ("flat", "road"),
    "marking-only": ("flat", "road"),
    "nature--sand": ("nature", "terrain"),
    "nature--snow": ("nature", "terrain"),
    "nature--sky": ("sky",),
    "nature--terrain": ("nature", "terrain"),
    "nature--vegetation": ("nature", "vegetation"),
    "object--pothole": ("object",),
    "object--street-light": ("object",),
    "object--support--pole": ("object", "pole"),
    "object--support--pole-group": ("object", "polegroup"),
    "object--support--traffic-sign-frame": ("object", "traffic sign"),
    "object--support--utility-pole": ("object", "pole"),
    "object--traffic-light": ("object", "traffic light"),
    "object--traffic-sign": ("object",),
    "object--traffic-sign--direction-front": ("object", "traffic sign"),
    "object--traffic-sign--front": ("object", "traffic sign"),
    "object--traffic-sign--information-parking": ("object", "traffic sign"),
    "object--traffic-sign--temporary-front": ("object", "traffic sign"),
    "object--vehicle": ("vehicle",),
    "object--vehicle--bicycle": ("vehicle", "bicycle"),
    "object--vehicle--caravan": ("vehicle", "caravan"),
    "object--vehicle--trailer": ("vehicle", "trailer"),
    "object--vehicle--bus": ("vehicle", "bus"),
    "object--vehicle--car": ("vehicle", "car"),
    "object--vehicle--motorcycle": ("vehicle", "motorcycle"),
    "object--vehicle--on-rails": ("vehicle", "train"),
    "object--vehicle--truck": ("vehicle", "truck"),
}


CATEGORIES = frozenset(names[0] for names in _ALIASES.values())
"""The categories of the names of Vistas."""


@dataclass(frozen=True)
class Mapillary:
    """Vistas as it is unpacked: ``training``, ``validation`` and ``testing`` next to the config file."""

    title: str = "Mapillary Vistas (Neuhold et al. 2017)"

    def layout(self, split: str) -> str:
        """The expected paths of files of ``split``, as text for messages."""
        kinds = (f"{labels} with {config}" for config, labels in CONFIGS)
        return f"{IMAGES} and {', or '.join(kinds)}".replace("{split}", split)

    def splits(self, root: Path) -> list[str]:
        """The splits with an image under ``root``."""
        return Layout(self.title, (IMAGES,)).splits(root)

    def listing(self, root: Path, split: str) -> Listing:
        """Every sample of ``split``; InputError if the config file of its labels is missing or damaged."""
        kinds = [(root / config, pattern) for config, pattern in CONFIGS if (root / config).is_file()]
        label_files = tuple(LabelFiles(pattern, labels_of(config)) for config, pattern in kinds)
        listing = replace(
            Layout(self.title, (IMAGES,), label_files).listing(root, split), tables=tuple(config for config, _ in kinds)
        )
        if listing.samples and not label_files:
            labelled = [pattern for _, pattern in CONFIGS if any(root.glob(pattern.format(split=split, key="*")))]
            if labelled:
                names = ", ".join(config for config, pattern in CONFIGS if pattern in labelled)
                raise InputError(
                    f"{root}: labels without {names}, the table of their ids; put the one of the download there"
                )
        return listing


class _Entry(BaseModel):
    """A label in a config file; its other keys are for other programs."""

    model_config = ConfigDict(strict=True)

    name: Annotated[str, Field(min_length=1)]
    color: Annotated[list[Annotated[int, Field(ge=0, le=255)]], Field(min_length=3, max_length=3)]


class _Content(BaseModel):
    """The used part of a config file."""

    labels: list[_Entry]


def labels_of(config: Path) -> tuple[Label, ...]:
    """The labels in a config file of Vistas; their ids are their positions.

    Raises:
        InputError: the file is damaged, or none of its names is one of Vistas'.
    """
    try:
        content = _Content.model_validate(read_json(config))
    except ValidationError as error:
        reason = next(explanations(error))
        raise InputError(f"{config}: not a config file of Mapillary Vistas ({reason}); obtain it again") from None
    labels = tuple(_label(id_, entry) for id_, entry in enumerate(content.labels))
    if not any(label.also for label in labels) or len(labels) > 255:
        raise InputError(f"{config}: names no label of Mapillary Vistas, or too many; obtain it again")
    return labels


def _label(id_: int, entry: _Entry) -> Label:
    red, green, blue = entry.color
    return Label(id_, entry.name, colour=(red, green, blue), also=aliases(entry.name))


def aliases(name: str) -> tuple[str, ...]:
    """Alternative names of a label of Vistas, by its longest known prefix.

    The category comes first: a class set of categories takes a kerb for construction, one of 19 classes for sidewalk.

    >>> aliases("construction--barrier--curb"), aliases("marking--discrete--text"), aliases("object--bench")
    (('construction', 'sidewalk'), ('flat', 'road'), ())
    """
    parts = name.split("--")
    for length in range(len(parts), 0, -1):
        if (prefix := "--".join(parts[:length])) in _ALIASES:
            return _ALIASES[prefix]
    return ()


FORMAT = Mapillary()
