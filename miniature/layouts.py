"""The miniature's layouts: the files of GTA5, SYNTHIA, Cityscapes and Mapillary Vistas, named as in the originals."""

import hashlib
import json
import math
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from miniature.settings import Layout, MiniatureSettings
from miniature.vistas import vistas_config

CITIES = {"train": ("ahrenfurt", "lindenau", "moosbach"), "val": ("graustadt", "nebelheim")}
"""The invented cities of either split of the target; no city is in both."""

VISTAS_SPLITS = {"train": "training", "val": "validation"}
"""The names of the splits in Mapillary Vistas."""

ASPECTS = ((4, 3), (16, 9), (4, 3), (3, 4), (4, 3))
"""Width to height of the images of Vistas, in turn: cameras and phones, one in five held upright."""

_FIRST_INDEX = {"train": 0, "val": 1_000_000}  # train and val share no scene
_FRAME = 19  # the labelled frame of every sequence of Cityscapes


@dataclass(frozen=True)
class SceneFiles:
    """One scene of the miniature, and the paths of its two files, relative to the dataset's root."""

    domain: str
    index: int
    image: str
    label: str
    layout: Layout
    aspect: tuple[int, int] | None = None  # width to height; None: the rendering's own

    @property
    def files(self) -> tuple[str, str]:
        """Image and label."""
        return self.image, self.label

    def size_wh(self, width: int, height: int) -> tuple[int, int]:
        """Width and height in pixels of the scene's aspect ratio, with about ``width`` x ``height`` pixels."""
        if self.aspect is None:
            return width, height
        scale = math.sqrt(width * height / (self.aspect[0] * self.aspect[1]))
        return round(self.aspect[0] * scale), round(self.aspect[1] * scale)


def gta5_scenes(settings: MiniatureSettings) -> Iterator[SceneFiles]:
    """The source in GTA5's layout: ``images/00001.png`` and ``labels/00001.png`` onwards."""
    for index in range(settings.source):
        name = f"{index + 1:05d}.png"
        yield SceneFiles("source", index, f"images/{name}", f"labels/{name}", "gta5")


def varied_scenes(settings: MiniatureSettings) -> Iterator[SceneFiles]:
    """A source of many kinds of streets and light, in GTA5's layout (domain randomisation, Tobin et al. 2017)."""
    for scene in gta5_scenes(settings):
        yield replace(scene, domain="varied")


def synthia_scenes(settings: MiniatureSettings) -> Iterator[SceneFiles]:
    """The source in SYNTHIA's layout: ``RGB/0000000.png`` and ``GT/LABELS/0000000.png`` onwards."""
    for index in range(settings.source):
        name = f"{index:07d}.png"
        yield SceneFiles("source", index, f"RGB/{name}", f"GT/LABELS/{name}", "synthia")


def cityscapes_scenes(settings: MiniatureSettings) -> Iterator[SceneFiles]:
    """The target in Cityscapes' layout: cities of a split take turns, every scene is a sequence of its own."""
    for split, cities in CITIES.items():
        for index in range(_target_count(settings, split)):
            city = cities[index % len(cities)]
            stem = f"{split}/{city}/{city}_{index // len(cities):06d}_{_FRAME:06d}"
            image, label = f"leftImg8bit/{stem}_leftImg8bit.png", f"gtFine/{stem}_gtFine_labelIds.png"
            yield SceneFiles("target", _FIRST_INDEX[split] + index, image, label, "cityscapes")


def mapillary_scenes(settings: MiniatureSettings) -> Iterator[SceneFiles]:
    """The target in the layout of Vistas: images of several shapes, named by keys of 22 letters."""
    for split, folder in VISTAS_SPLITS.items():
        for index in range(_target_count(settings, split)):
            number = _FIRST_INDEX[split] + index
            key = urlsafe_b64encode(hashlib.md5(str(number).encode(), usedforsecurity=False).digest()).decode()[:22]
            files = f"{folder}/images/{key}.jpg", f"{folder}/labels/{key}.png"
            yield SceneFiles("target", number, *files, "mapillary", ASPECTS[index % len(ASPECTS)])


def _target_count(settings: MiniatureSettings, split: str) -> int:
    return settings.target_train if split == "train" else settings.target_val


SCENES: dict[Layout, Callable[[MiniatureSettings], Iterator[SceneFiles]]] = {
    "gta5": gta5_scenes,
    "synthia": synthia_scenes,
    "varied": varied_scenes,
    "cityscapes": cityscapes_scenes,
    "mapillary": mapillary_scenes,
}
"""The scenes of every layout."""

EXTRA_FILES: dict[str, dict[str, str]] = {"mapillary": {"config.json": json.dumps(vistas_config(), indent=4)}}
"""Name -> content of the files in a dataset's root next to images and labels."""
