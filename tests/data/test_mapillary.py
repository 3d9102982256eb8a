"""Mapillary Vistas: the meaning of its ids comes from its own config file."""

import json
from pathlib import Path

import numpy as np
import pytest

from esl.classes import IGNORE
from esl.data.class_sets import build_class_set
from esl.data.formats.build import format_named
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from tests.data.dataset_files import (
    CITYSCAPES19,
    RNG,
    VISTAS7,
    image_file,
    index_of,
    label_file,
)

# The classes of the labels of v1.2 in the literature: 19 as usual in evaluations of Vistas, and 7 as in DADA
# (Vu et al. 2019), except terrain, which DADA counts as flat, and sand and snow, which it ignores.
VISTAS = {
    "animal--bird": (None, None),
    "construction--barrier--curb": ("sidewalk", "construction"),
    "construction--barrier--fence": ("fence", "construction"),
    "construction--barrier--guard-rail": ("fence", "construction"),
    "construction--barrier--other-barrier": (None, "construction"),
    "construction--barrier--wall": ("wall", "construction"),
    "construction--flat--bike-lane": ("road", "flat"),
    "construction--flat--crosswalk-plain": ("road", "flat"),
    "construction--flat--curb-cut": ("sidewalk", "flat"),
    "construction--flat--parking": ("road", "flat"),
    "construction--flat--pedestrian-area": ("sidewalk", "flat"),
    "construction--flat--rail-track": ("road", "flat"),
    "construction--flat--road": ("road", "flat"),
    "construction--flat--sidewalk": ("sidewalk", "flat"),
    "construction--structure--bridge": ("building", "construction"),
    "construction--structure--building": ("building", "construction"),
    "construction--structure--tunnel": ("building", "construction"),
    "human--person": ("person", "human"),
    "human--rider--bicyclist": ("rider", "human"),
    "human--rider--motorcyclist": ("rider", "human"),
    "human--rider--other-rider": ("rider", "human"),
    "marking--crosswalk-zebra": ("road", "flat"),
    "marking--general": ("road", "flat"),
    "nature--mountain": (None, None),
    "nature--sand": ("terrain", "nature"),
    "nature--sky": ("sky", "sky"),
    "nature--snow": ("terrain", "nature"),
    "nature--terrain": ("terrain", "nature"),
    "nature--vegetation": ("vegetation", "nature"),
    "nature--water": (None, None),
    "object--billboard": (None, None),
    "object--manhole": (None, None),
    "object--pothole": (None, "object"),
    "object--street-light": (None, "object"),
    "object--support--pole": ("pole", "object"),
    "object--support--traffic-sign-frame": ("traffic sign", "object"),
    "object--support--utility-pole": ("pole", "object"),
    "object--traffic-light": ("traffic light", "object"),
    "object--traffic-sign--back": (None, "object"),
    "object--traffic-sign--front": ("traffic sign", "object"),
    "object--trash-can": (None, None),
    "object--vehicle--bicycle": ("bicycle", "vehicle"),
    "object--vehicle--boat": (None, "vehicle"),
    "object--vehicle--bus": ("bus", "vehicle"),
    "object--vehicle--car": ("car", "vehicle"),
    "object--vehicle--caravan": (None, "vehicle"),
    "object--vehicle--motorcycle": ("motorcycle", "vehicle"),
    "object--vehicle--on-rails": ("train", "vehicle"),
    "object--vehicle--other-vehicle": (None, "vehicle"),
    "object--vehicle--trailer": (None, "vehicle"),
    "object--vehicle--truck": ("truck", "vehicle"),
    "void--ego-vehicle": (None, None),
    "void--unlabeled": (None, None),
}
VISTAS_2 = {  # a few of those that only v2.0 has
    "construction--barrier--concrete-block": (None, "construction"),
    "construction--flat--parking-aisle": ("road", "flat"),
    "construction--flat--traffic-island": ("sidewalk", "flat"),
    "human--person--individual": ("person", "human"),
    "marking--discrete--arrow--left": ("road", "flat"),
    "marking-only--discrete--text": ("road", "flat"),
    "object--sign--advertisement": (None, None),
    "object--support--pole-group": (None, "object"),
    "object--traffic-light--general-upright": ("traffic light", "object"),
    "object--traffic-sign--temporary-back": (None, "object"),
    "object--traffic-sign--direction-front": ("traffic sign", "object"),
    "object--vehicle--vehicle-group": (None, "vehicle"),
    "void--ground": (None, None),
}


def _vistas(root: Path, names: list[str], config: str, labels: str) -> Path:
    """Two images, one of them upright, with labels of every id of ``names`` in order."""
    colours = [tuple(RNG.integers(0, 256, 3).tolist()) for _ in names]
    entries = [
        {"name": n, "color": c, "readable": n.title(), "evaluate": True} for n, c in zip(names, colours, strict=True)
    ]
    (root / config).write_text(json.dumps({"labels": entries, "version": "1.1"}))
    for key, size_wh in (("A-b_c", (len(names), 3)), ("0xyz", (3, len(names)))):
        image_file(root / f"training/images/{key}.jpg", size_wh)
        ids = np.tile(np.arange(len(names), dtype=np.uint8), (3, 1))
        label_file(root / f"training/{labels}/{key}.png", ids if key == "A-b_c" else ids.T.copy(), colours)
    return root


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("config", "labels", "table"),
    [
        ("config.json", "labels", VISTAS),
        ("config_v1.2.json", "v1.2/labels", VISTAS),
        ("config_v2.0.json", "v2.0/labels", VISTAS | VISTAS_2),
    ],
)
def test_vistas_ids_have_the_names_of_the_datasets_config_in_any_order(
    tmp_path: Path, config: str, labels: str, table: dict[str, tuple[str | None, str | None]], backwards: bool
) -> None:
    names = [*table][:: -1 if backwards else 1]
    _vistas(tmp_path, names, config, labels)
    for place, class_set in enumerate((CITYSCAPES19, VISTAS7)):
        index = index_of("mapillary", tmp_path, "training", class_set)
        assert [sample.size_wh for sample in index.samples] == [(3, len(names)), (len(names), 3)]
        classes = [table[name][place] for name in names]
        expected = [IGNORE if name is None else class_set.classes.index(name) for name in classes]
        assert index.read_label(index.samples[1])[0].tolist() == expected
        assert index.read_label(index.samples[0])[:, 0].tolist() == expected


def test_vistas_of_both_versions_is_read_as_the_first_and_without_its_config_not_at_all(tmp_path: Path) -> None:
    _vistas(tmp_path, [*VISTAS, *VISTAS_2], "config_v2.0.json", "v2.0/labels")
    _vistas(tmp_path, [*VISTAS], "config_v1.2.json", "v1.2/labels")
    assert index_of("mapillary", tmp_path, "training").label_files == "training/v1.2/labels/{key}.png"
    (tmp_path / "config_v1.2.json").write_text('{"labels": [{"name": "car"}]}')
    with pytest.raises(InputError, match=r"config_v1\.2\.json: not a config file of Mapillary Vistas"):
        index_of("mapillary", tmp_path, "training")
    (tmp_path / "config_v1.2.json").write_text('{"labels": [{"name": "car", "color": [1, 2, 3]}]}')
    with pytest.raises(InputError, match=r"config_v1\.2\.json: names no label of Mapillary Vistas"):
        index_of("mapillary", tmp_path, "training")
    for config in ("config_v1.2.json", "config_v2.0.json"):
        (tmp_path / config).unlink()
    with pytest.raises(InputError, match=r"labels without config_v1\.2\.json, config_v2\.0\.json, the table of"):
        index_of("mapillary", tmp_path, "training")


def test_vistas_finer_labels_are_matched_by_their_cityscapes_names(tmp_path: Path) -> None:
    names = ["construction--flat--parking", "construction--flat--road", "construction--structure--bridge"]
    names += ["object--vehicle--caravan", "construction--barrier--guard-rail"]
    _vistas(tmp_path, names, "config.json", "labels")
    own = build_class_set(
        "own", {"road": {}, "parking": {}, "bridge": {}, "big": {"labels": ["caravan", "guard rail"]}}
    )
    index = inspect("mapillary", format_named("mapillary"), tmp_path, "training", own, Checks()).sound_index()
    assert index.read_label(index.samples[1])[0].tolist() == [1, 0, 2, 3, 3]
    index = index_of("mapillary", tmp_path, "training")
    assert index.read_label(index.samples[1])[0].tolist() == [0, 0, 2, IGNORE, 4]
