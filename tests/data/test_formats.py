"""Every dataset in its exact official layout: what was put in is read back as the trainIds that it means."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import name2label
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE, ClassSet
from esl.data.class_sets import CLASS_SETS, declared_class_set
from esl.data.formats.base import existing_root
from esl.data.formats.registry import format_named, format_names
from esl.data.index import Index
from esl.data.inspection import Checks, inspect
from esl.data.label_tables import CITYSCAPES_LABELS, GTA5_LABELS, SYNTHIA_LABELS
from esl.errors import InputError

CITYSCAPES19, SYNTHIA16, VISTAS7 = (CLASS_SETS[name] for name in ("cityscapes19", "synthia16", "vistas7"))
TRAIN_ID = {label.name: label.trainId for label in name2label.values()}
RNG = np.random.default_rng(0)
PngOf16Bits = Callable[[NDArray[np.uint16]], bytes]


def _image(path: Path, size: tuple[int, int] = (8, 6)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(RNG.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)).save(path)
    return path


def _ids(path: Path, ids: NDArray[np.uint8], palette: list[tuple[int, int, int]] | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(ids)
    if palette:
        image.putpalette([channel for colour in palette for channel in colour])
    image.save(path)
    return path


def _some(values: list[int]) -> NDArray[np.uint8]:
    """A label (6, 8) in which every one of ``values`` occurs."""
    return np.resize(np.array(values, dtype=np.uint8), (6, 8)) if len(values) <= 48 else np.array([values], np.uint8)


def _index(
    name: str, root: Path, split: str, class_set: ClassSet = CITYSCAPES19, checks: Checks | None = None
) -> Index:
    return inspect(name, format_named(name), root, split, class_set, checks or Checks()).checked()


def _read(index: Index, number: int = 0) -> list[int]:
    return index.read_label(index.samples[number]).ravel().tolist()


# ------------------------------------------------------------------------------------------------------------- GTA5


def _gta5(root: Path, numbers: tuple[int, ...] = (1,)) -> Path:
    for number in numbers:
        _image(root / f"images/{number:05d}.png")
        _ids(root / f"labels/{number:05d}.png", _some([*range(35)]), [label.colour for label in GTA5_LABELS])
    return root


def test_gta5_palette_labels_are_read_as_indices_of_all_35_ids(tmp_path: Path) -> None:
    index = _index("gta5", _gta5(tmp_path), "all")
    names = [*(label.name for label in CITYSCAPES_LABELS), "license plate"]
    assert index.samples[0].id == "00001"
    assert _read(index)[:35] == [TRAIN_ID[name] if 0 <= TRAIN_ID[name] < 19 else IGNORE for name in names]


@pytest.mark.parametrize("how", ["text", "matlab"])
def test_gta5s_parts_are_those_of_its_lists(tmp_path: Path, how: str) -> None:
    _gta5(tmp_path, (1, 2, 3))
    if how == "text":
        (tmp_path / "val.txt").write_text("00001.png\n00003\n")
    else:
        savemat = pytest.importorskip("scipy.io").savemat
        savemat(tmp_path / "split.mat", {"trainIds": [[2]], "valIds": [[1], [3]], "testIds": [[]]})
    assert [sample.id for sample in _index("gta5", tmp_path, "val").samples] == ["00001", "00003"]
    assert len(_index("gta5", tmp_path, "all").samples) == 3
    assert {"all", "val"} <= set(format_named("gta5").splits(tmp_path))


def test_a_list_of_a_part_that_is_missing_climbs_or_names_what_is_not_there_is_refused(tmp_path: Path) -> None:
    _gta5(tmp_path)
    with pytest.raises(InputError, match=r"no list of the part 'val'; expected val\.txt, or the download's split\.mat"):
        _index("gta5", tmp_path, "val")
    (tmp_path / "val.txt").write_text("../00001.png\n")
    with pytest.raises(InputError, match=r"val\.txt: '\.\./00001\.png': expected plain numbers or file names"):
        _index("gta5", tmp_path, "val")
    (tmp_path / "val.txt").write_text("00001\n00009\n")
    with pytest.raises(InputError, match="'00009', which the list of 'val' names, is not there"):
        _index("gta5", tmp_path, "val")
    (tmp_path / "split.mat").write_bytes(b"no matlab")
    with pytest.raises(InputError, match=r"split\.mat: not GTA5's list of parts"):
        _index("gta5", tmp_path, "train")


# ---------------------------------------------------------------------------------------------------------- SYNTHIA


@pytest.mark.parametrize("folder", ["LABELS", "CLASSES"])
def test_synthias_ids_are_read_from_16_bits_or_where_those_are_missing_from_8(
    tmp_path: Path, folder: str, png_of_16_bits: PngOf16Bits
) -> None:
    ids = _some([*range(23)])
    _image(tmp_path / "RGB/0000000.png")
    _image(tmp_path / "GT/COLOR/0000000.png")  # holds no ids
    if folder == "LABELS":
        channels = np.stack([ids, ids.astype(np.uint16) + 500, 0 * ids], axis=-1).astype(
            np.uint16
        )  # class, instance, nothing
        (tmp_path / "GT/LABELS").mkdir()
        (tmp_path / "GT/LABELS/0000000.png").write_bytes(png_of_16_bits(channels))
        _ids(tmp_path / "GT/CLASSES/0000000.png", 0 * ids)  # not to be looked at
    else:
        _ids(tmp_path / "GT/CLASSES/0000000.png", ids)
    names = [label.name for label in SYNTHIA_LABELS]
    classes = SYNTHIA16.classes
    expected = [classes.index(name) if name in classes else IGNORE for name in names]
    index = _index("synthia", tmp_path, "all", SYNTHIA16)
    assert _read(index)[:23] == expected
    assert index.label_files == f"GT/{folder}/{{number}}.png"


# ------------------------------------------------------------------------------------------------------- Cityscapes


def _frame(root: Path, split: str, city: str, kind: str = "gtFine", ids: str = "labelIds", number: int = 0) -> None:
    stem = f"{split}/{city}/{city}_{number:06d}_000019"
    _image(root / f"leftImg8bit/{stem}_leftImg8bit.png")
    _ids(root / f"{kind}/{stem}_{kind}_{ids}.png", _some([*range(34)] if ids == "labelIds" else [*range(19), 255]))


def test_cityscapes_is_read_over_all_cities_of_a_split_and_nothing_else_in_its_folders(tmp_path: Path) -> None:
    for split, city in (("train", "ulm"), ("train", "aachen"), ("val", "frankfurt")):
        _frame(tmp_path, split, city)
        for other in ("color.png", "instanceIds.png", "polygons.json"):
            (tmp_path / f"gtFine/{split}/{city}/{city}_000000_000019_gtFine_{other}").touch()
    index = _index("cityscapes", tmp_path, "train")
    assert [sample.id for sample in index.samples] == ["aachen_000000_000019", "ulm_000000_000019"]
    assert index.samples[0].label == "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png"
    expected = [TRAIN_ID[label.name] if TRAIN_ID[label.name] < 19 else IGNORE for label in CITYSCAPES_LABELS]
    assert _read(index)[:34] == expected
    assert format_named("cityscapes").splits(tmp_path) == ["train", "val"]


def test_cityscapes_label_train_ids_are_read_where_there_are_no_label_ids(tmp_path: Path) -> None:
    _frame(tmp_path, "val", "lindau", ids="labelTrainIds")
    index = _index("cityscapes", tmp_path, "val")
    assert _read(index)[:20] == [*range(19), IGNORE]
    _frame(tmp_path, "val", "lindau", ids="labelIds")
    assert _index("cityscapes", tmp_path, "val").label_files == "gtFine/val/*/{frame}_gtFine_labelIds.png"


def test_cityscapes_coarse_labels_are_those_of_train_extra_and_come_after_fine_ones(tmp_path: Path) -> None:
    _frame(tmp_path, "train_extra", "bayreuth", kind="gtCoarse")
    _frame(tmp_path, "train", "ulm", kind="gtCoarse")
    _frame(tmp_path, "train", "ulm")
    assert _index("cityscapes", tmp_path, "train_extra").label_files.startswith("gtCoarse/train_extra/")  # type: ignore[union-attr]
    assert _index("cityscapes", tmp_path, "train").label_files.startswith("gtFine/train/")  # type: ignore[union-attr]


def test_cityscapes_test_images_without_labels_are_a_target_and_dummies_are_none_to_score(tmp_path: Path) -> None:
    _image(tmp_path / "leftImg8bit/test/bonn/bonn_000000_000019_leftImg8bit.png")
    for demand in ("optional", "all_or_none"):
        index = _index("cityscapes", tmp_path, "test", checks=Checks(demand))  # type: ignore[arg-type]
        assert (len(index.samples), index.labelled) == (1, [])
    _ids(tmp_path / "gtFine/test/bonn/bonn_000000_000019_gtFine_labelIds.png", _some([1, 2, 3]))
    with pytest.raises(InputError, match=r"no pixel of any class of cityscapes19 in any label .*dummies"):
        _index("cityscapes", tmp_path, "test", checks=Checks("all_or_none"))
    assert len(_index("cityscapes", tmp_path, "test", checks=Checks("optional")).samples) == 1


def test_a_frame_that_lies_in_two_cities_is_refused_as_one_id(tmp_path: Path) -> None:
    _frame(tmp_path, "train", "ulm")
    _image(tmp_path / "leftImg8bit/train/zurich/ulm_000000_000019_leftImg8bit.png")
    with pytest.raises(InputError, match=r"the same id 'ulm_000000_000019' as .*/ulm/ulm_000000_000019_left"):
        _index("cityscapes", tmp_path, "train")


# -------------------------------------------------------------------------------------------------- Mapillary Vistas

# What the literature takes the labels of v1.2 for: in 19 classes as usual for evaluations of Vistas, and in 7 as DADA
# (Vu et al. 2019) does, but for terrain, which DADA counts as flat, and sand and snow, which it ignores.
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
    """Two images, one of them upright, whose labels hold every id of ``names`` in order."""
    colours = [tuple(RNG.integers(0, 256, 3).tolist()) for _ in names]
    entries = [
        {"name": n, "color": c, "readable": n.title(), "evaluate": True} for n, c in zip(names, colours, strict=True)
    ]
    (root / config).write_text(json.dumps({"labels": entries, "version": "1.1"}))
    for key, size in (("A-b_c", (len(names), 3)), ("0xyz", (3, len(names)))):
        _image(root / f"training/images/{key}.jpg", size)
        ids = np.tile(np.arange(len(names), dtype=np.uint8), (3, 1))
        _ids(root / f"training/{labels}/{key}.png", ids if key == "A-b_c" else ids.T.copy(), colours)
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
def test_vistas_ids_mean_what_the_data_sets_own_config_calls_them_in_any_order(
    tmp_path: Path, config: str, labels: str, table: dict[str, tuple[str | None, str | None]], backwards: bool
) -> None:
    names = [*table][:: -1 if backwards else 1]
    _vistas(tmp_path, names, config, labels)
    for place, class_set in enumerate((CITYSCAPES19, VISTAS7)):
        index = _index("mapillary", tmp_path, "training", class_set)
        assert [sample.size_wh for sample in index.samples] == [(3, len(names)), (len(names), 3)]
        wanted = [table[name][place] for name in names]
        expected = [IGNORE if name is None else class_set.classes.index(name) for name in wanted]
        assert index.read_label(index.samples[1])[0].tolist() == expected
        assert index.read_label(index.samples[0])[:, 0].tolist() == expected


def test_vistas_of_both_versions_is_read_as_the_first_and_without_its_config_not_at_all(tmp_path: Path) -> None:
    _vistas(tmp_path, [*VISTAS, *VISTAS_2], "config_v2.0.json", "v2.0/labels")
    _vistas(tmp_path, [*VISTAS], "config_v1.2.json", "v1.2/labels")
    assert _index("mapillary", tmp_path, "training").label_files == "training/v1.2/labels/{key}.png"
    (tmp_path / "config_v1.2.json").write_text('{"labels": [{"name": "car"}]}')
    with pytest.raises(InputError, match=r"config_v1\.2\.json: not a config file of Mapillary Vistas"):
        _index("mapillary", tmp_path, "training")
    (tmp_path / "config_v1.2.json").write_text('{"labels": [{"name": "car", "color": [1, 2, 3]}]}')
    with pytest.raises(InputError, match=r"config_v1\.2\.json: names no label of Mapillary Vistas"):
        _index("mapillary", tmp_path, "training")
    for config in ("config_v1.2.json", "config_v2.0.json"):
        (tmp_path / config).unlink()
    with pytest.raises(InputError, match=r"labels without config_v1\.2\.json, config_v2\.0\.json, which says"):
        _index("mapillary", tmp_path, "training")


# ------------------------------------------------------------------------------- those that a few lines of YAML declare

# fmt: off
IDD_NAMES = [
    "road", "parking", "drivable fallback", "sidewalk", "rail track", "terrain", "person", "animal", "rider",
    "motorcycle", "bicycle", "autorickshaw", "car", "truck", "bus", "caravan", "trailer", "train", "vehicle fallback",
    "curb", "wall", "fence", "guard rail", "billboard", "traffic sign", "traffic light", "pole", "polegroup",
    "obs-str-bar-fallback", "building", "bridge", "tunnel", "vegetation", "sky",
]
IDD_LEVEL3 = [
    "road", "parking", "sidewalk", "terrain", "person", "rider", "motorcycle", "bicycle", "autorickshaw", "car",
    "truck", "bus", "caravan, trailer or train", "curb", "wall", "fence", "guard rail", "billboard", "traffic sign",
    "traffic light", "pole", "obs-str-bar-fallback", "building", "bridge", "vegetation", "sky",
]
# fmt: on
TRAIN_IDS = [*range(19), 255]


def _named(names: list[str]) -> list[int]:
    return [CITYSCAPES19.classes.index(name) if name in CITYSCAPES19.classes else IGNORE for name in names]


@pytest.mark.parametrize(
    ("name", "split", "image", "label", "id_", "ids", "expected"),
    [
        (
            "acdc", "train", "rgb_anon/fog/train/GOPR0475/GOPR0475_frame_000041_rgb_anon.png",
            "gt/fog/train/GOPR0475/GOPR0475_frame_000041_gt_labelIds.png", "GOPR0475_frame_000041",
            [*range(34)], _named([label.name for label in CITYSCAPES_LABELS]),
        ),
        (
            "acdc", "val", "rgb_anon/night/val/GOPR0356/GOPR0356_frame_000001_rgb_anon.png",
            "gt/night/val/GOPR0356/GOPR0356_frame_000001_gt_labelTrainIds.png", "GOPR0356_frame_000001",
            TRAIN_IDS, TRAIN_IDS,
        ),
        (
            "darkzurich", "val", "rgb_anon/val/night/GOPR0356/GOPR0356_frame_000321_rgb_anon.png",
            "gt/val/night/GOPR0356/GOPR0356_frame_000321_gt_labelTrainIds.png", "GOPR0356_frame_000321",
            TRAIN_IDS, TRAIN_IDS,
        ),
        (
            "bdd100k", "val", "images/10k/val/7d2f7975-e0c1c5a7.jpg", "labels/sem_seg/masks/val/7d2f7975-e0c1c5a7.png",
            "7d2f7975-e0c1c5a7", TRAIN_IDS, TRAIN_IDS,
        ),
        (
            "bdd100k", "train", "seg/images/train/0004a4c0-d4dff0ad.jpg",
            "seg/labels/train/0004a4c0-d4dff0ad_train_id.png", "0004a4c0-d4dff0ad", TRAIN_IDS, TRAIN_IDS,
        ),
        (
            "idd", "train", "leftImg8bit/train/0/005506_leftImg8bit.png",
            "gtFine/train/0/005506_gtFine_labelcsTrainIds.png", "0_005506", TRAIN_IDS, TRAIN_IDS,
        ),
        (
            "idd", "val", "leftImg8bit/val/201/frame0029_leftImg8bit.jpg",
            "gtFine/val/201/frame0029_gtFine_labelids.png", "201_frame0029", [*range(34)], _named(IDD_NAMES),
        ),
        (
            "idd", "val", "leftImg8bit/val/201/frame0029_leftImg8bit.jpg",
            "gtFine/val/201/frame0029_gtFine_labellevel3Ids.png", "201_frame0029", [*range(26), 255],
            [*_named(IDD_LEVEL3), IGNORE],
        ),
    ],
)  # fmt: skip
def test_declared_formats_read_their_official_layout(
    tmp_path: Path, name: str, split: str, image: str, label: str, id_: str, ids: list[int], expected: list[int]
) -> None:
    _image(tmp_path / image)
    _ids(tmp_path / label, _some(ids))
    assert format_named(name).splits(tmp_path) == [split]
    index = _index(name, tmp_path, split)
    (sample,) = index.samples
    assert (sample.id, sample.image, sample.label) == (id_, image, label)
    assert _read(index)[: len(ids)] == expected


def test_dark_zurichs_day_and_twilight_are_no_part_of_its_night(tmp_path: Path) -> None:
    for time in ("day", "night", "twilight"):
        _image(tmp_path / f"rgb_anon/train/{time}/GOPR0121/GOPR0121_frame_000001_rgb_anon.png")
    (sample,) = _index("darkzurich", tmp_path, "train", checks=Checks("optional")).samples
    assert "/night/" in sample.image and sample.label is None


def test_idd_frames_of_one_number_in_two_drives_are_two_samples(tmp_path: Path) -> None:
    for drive in ("0", "201"):
        _image(tmp_path / f"leftImg8bit/train/{drive}/000001_leftImg8bit.png")
        _ids(tmp_path / f"gtFine/train/{drive}/000001_gtFine_labelcsTrainIds.png", _some([0, 1]))
    assert [sample.id for sample in _index("idd", tmp_path, "train").samples] == ["0_000001", "201_000001"]


# ------------------------------------------------------------------------------------------------- one's own, declared


def _own(root: Path, declaration: dict[str, object], split: str = "all", checks: Checks | None = None) -> Index:
    return inspect("mine", format_named("mine", declaration), root, split, CITYSCAPES19, checks or Checks()).checked()


def test_folders_of_images_and_labels_are_paired_by_their_paths(tmp_path: Path) -> None:
    for name in ("a/1", "b/1"):
        _image(tmp_path / f"shots/{name}.jpg")
        _ids(tmp_path / f"masks/{name}.png", _some([3, 9, 200]))
    declaration = {"images": "shots", "labels": [{"files": "masks", "ids": {3: "road", "9": "car", 200: None}}]}
    index = _own(tmp_path, declaration)
    assert [sample.id for sample in index.samples] == ["a__1", "b__1"]
    assert _read(index)[:3] == [0, 13, IGNORE]


def test_labels_of_colours_mean_the_labels_that_the_declaration_names(tmp_path: Path) -> None:
    colours = {"road": [128, 64, 128], "car": [[0, 0, 142], [0, 0, 143]], "unlabeled": [0, 0, 0]}
    flat = [(128, 64, 128), (0, 0, 142), (0, 0, 143), (0, 0, 0)]
    _image(tmp_path / "1/shot.png", (4, 1))
    declaration = {"images": "{n}/shot.png", "labels": [{"files": "{n}/mask.png", "colours": colours}]}
    Image.fromarray(np.array([flat], dtype=np.uint8)).save(tmp_path / "1/mask.png")
    assert _read(_own(tmp_path, declaration)) == [0, 13, 13, IGNORE]
    _ids(tmp_path / "1/mask.png", np.array([[3, 2, 1, 0]], dtype=np.uint8), flat)  # the same colours by a palette
    assert _read(_own(tmp_path, declaration)) == [IGNORE, 13, 13, 0]
    Image.fromarray(np.array([[*flat[:3], (0, 0, 1)]], dtype=np.uint8)).save(tmp_path / "1/mask.png")
    with pytest.raises(InputError, match=r"mask\.png: colours \(0, 0, 1\) belong to no label; add them to `colours`"):
        _own(tmp_path, declaration)
    Image.fromarray(np.zeros((1, 4), dtype=np.uint8)).save(tmp_path / "1/mask.png")
    with pytest.raises(InputError, match=r"mask\.png: expected a label of colours.*declare `ids` instead"):
        _own(tmp_path, declaration)


def test_brackets_in_a_pattern_are_brackets(tmp_path: Path) -> None:
    _image(tmp_path / "frames/[d]/1.png")
    index = _own(tmp_path, {"images": "frames/[d]/{n}.png"}, checks=Checks("optional"))
    assert [sample.id for sample in index.samples] == ["1"]


def test_vistas_finer_labels_are_known_by_the_names_that_cityscapes_has_for_them(tmp_path: Path) -> None:
    names = ["construction--flat--parking", "construction--flat--road", "construction--structure--bridge"]
    names += ["object--vehicle--caravan", "construction--barrier--guard-rail"]
    _vistas(tmp_path, names, "config.json", "labels")
    own = declared_class_set(
        "own", {"road": {}, "parking": {}, "bridge": {}, "big": {"labels": ["caravan", "guard rail"]}}
    )
    index = inspect("mapillary", format_named("mapillary"), tmp_path, "training", own, Checks()).checked()
    assert index.read_label(index.samples[1])[0].tolist() == [1, 0, 2, 3, 3]
    index = _index("mapillary", tmp_path, "training")
    assert index.read_label(index.samples[1])[0].tolist() == [0, 0, 2, IGNORE, 4]


def test_a_folder_of_images_needs_no_declaration_and_no_label(tmp_path: Path) -> None:
    for name in ("a.jpg", "deep/er/b.PNG", "deep/c.webp"):
        _image(tmp_path / name)
    for other in ("notes.txt", ".hidden.png", ".cache/d.png"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).touch()
    index = _index("folder", tmp_path, "all", checks=Checks("optional"))
    assert [sample.id for sample in index.samples] == ["a", "deep__c", "deep__er__b"]
    assert index.label_files is None and index.labels == ()
    assert format_named("folder").splits(tmp_path) == ["all", "deep"]
    assert [s.id for s in _index("folder", tmp_path, "deep", checks=Checks("optional")).samples] == ["c", "er__b"]
    with pytest.raises(InputError, match="no folder 'train' there; a split of a folder of images is a folder below"):
        _index("folder", tmp_path, "train", checks=Checks("optional"))


def test_two_images_of_one_name_are_refused_as_one_id(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        _image(tmp_path / name)
    with pytest.raises(InputError, match=r"a\.png: the same id 'a' as .*a\.jpg"):
        _index("folder", tmp_path, "all", checks=Checks("optional"))


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"images": "../{n}.png"}, "'../{n}.png': expected a path below the root, without .."),
        ({"images": "/data/{n}.png"}, "'/data/{n}.png': expected a path below the root"),
        ({"images": "a", "labels": [{"files": "b", "ids": "citiscapes"}]}, "ids: expected one of cityscapes, "),
        ({"images": "a", "labels": [{"files": "b", "ids": {"256": "road"}}]}, "from 0 to 255, but got '256'"),
        ({"images": "a/**/{n}.png"}, "'a/**/{n}.png': ** is not a pattern"),
        ({"labels": []}, "images: missing; say where they are"),
        ({"images": "a", "labels": [{"files": "b", "ids": {1: "road", "1": "car"}}]}, "ids: 1 is listed twice"),
        ({"images": "a", "labels": [{"files": "b", "ids": {"road": "7"}}]}, "from 0 to 255, but got 'road'"),
        (
            {"images": "a", "labels": [{"files": "b", "colours": {"road": [1, 2, 3], "sky": [1, 2, 3]}}]},
            "'road' and 'sky' have the same colour, (1, 2, 3)",
        ),
    ],
)
def test_a_declaration_that_cannot_be_is_refused_by_name(declaration: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=rf"datasets\.mine: .*{re.escape(message)}"):
        format_named("mine", declaration)


# ---------------------------------------------------------------------------------------------------------------- all


def test_an_unknown_format_a_missing_root_and_an_unknown_split_are_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gta5, mapillary, cityscapes, synthia, .*, folder, but got 'gta'"):
        format_named("gta")
    with pytest.raises(InputError, match=r"nowhere: no such folder; benchmarks\.x\.source\.root must be"):
        existing_root(tmp_path / "nowhere", "benchmarks.x.source.root")
    assert existing_root(tmp_path, "key") == tmp_path
    _image(tmp_path / "RGB/0000000.png")
    with pytest.raises(InputError, match=r"split 'train': SYNTHIA-RAND-CITYSCAPES .* has no splits; ask for 'all'"):
        _index("synthia", tmp_path, "train")


@pytest.mark.parametrize("name", format_names())
def test_every_format_tells_its_layout_where_nothing_is(tmp_path: Path, name: str) -> None:
    (tmp_path / "train").mkdir()
    split = "all" if name in ("gta5", "synthia", "folder") else "train"
    assert format_named(name).splits(tmp_path) == []
    with pytest.raises(InputError, match=rf"no samples of {name} '{split}' there; expected \S+"):
        _index(name, tmp_path, split)
