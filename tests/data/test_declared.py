"""Formats declared in YAML, shipped ones and one's own, and folders without a declaration."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE
from esl.data.formats.build import format_named
from esl.data.index import Index, read_index
from esl.data.inspection import inspect
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import write_json
from tests.data.dataset_files import CITYSCAPES19, image_file, index_of, label_file, label_of, train_ids_of

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
    image_file(tmp_path / image)
    label_file(tmp_path / label, label_of(ids))
    assert format_named(name).splits(tmp_path) == [split]
    index = index_of(name, tmp_path, split)
    (sample,) = index.samples
    assert (sample.id, sample.image, sample.label) == (id_, image, label)
    assert train_ids_of(index)[: len(ids)] == expected


def test_dark_zurichs_day_and_twilight_are_no_part_of_its_night(tmp_path: Path) -> None:
    for time in ("day", "night", "twilight"):
        image_file(tmp_path / f"rgb_anon/train/{time}/GOPR0121/GOPR0121_frame_000001_rgb_anon.png")
    (sample,) = index_of("darkzurich", tmp_path, "train", checks=Checks(labels="optional")).samples
    assert "/night/" in sample.image and sample.label is None


def test_idd_frames_of_one_number_in_two_drives_are_two_samples(tmp_path: Path) -> None:
    for drive in ("0", "201"):
        image_file(tmp_path / f"leftImg8bit/train/{drive}/000001_leftImg8bit.png")
        label_file(tmp_path / f"gtFine/train/{drive}/000001_gtFine_labelcsTrainIds.png", label_of([0, 1]))
    assert [sample.id for sample in index_of("idd", tmp_path, "train").samples] == ["0_000001", "201_000001"]


# ------------------------------------------------------------------------------------------------- one's own, declared


def _own(root: Path, declaration: dict[str, object], split: str = "all", checks: Checks | None = None) -> Index:
    return inspect(
        "mine", format_named("mine", declaration), root, split, CITYSCAPES19, checks or Checks()
    ).sound_index()


def test_folders_of_images_and_labels_are_paired_by_their_paths(tmp_path: Path) -> None:
    for name in ("a/1", "b/1"):
        image_file(tmp_path / f"shots/{name}.jpg")
        label_file(tmp_path / f"masks/{name}.png", label_of([3, 9, 200]))
    declaration = {"images": "shots", "labels": [{"files": "masks", "ids": {3: "road", "9": "car", 200: None}}]}
    index = _own(tmp_path, declaration)
    assert [sample.id for sample in index.samples] == ["a__1", "b__1"]
    assert train_ids_of(index)[:3] == [0, 13, IGNORE]


def test_labels_of_colours_mean_the_labels_that_the_declaration_names(tmp_path: Path) -> None:
    colours = {"road": [128, 64, 128], "car": [[0, 0, 142], [0, 0, 143]], "unlabeled": [0, 0, 0]}
    flat = [(128, 64, 128), (0, 0, 142), (0, 0, 143), (0, 0, 0)]
    image_file(tmp_path / "1/shot.png", (4, 1))
    declaration = {"images": "{n}/shot.png", "labels": [{"files": "{n}/mask.png", "colours": colours}]}
    Image.fromarray(np.array([flat], dtype=np.uint8)).save(tmp_path / "1/mask.png")
    assert train_ids_of(_own(tmp_path, declaration)) == [0, 13, 13, IGNORE]
    label_file(tmp_path / "1/mask.png", np.array([[3, 2, 1, 0]], dtype=np.uint8), flat)  # the same colours by a palette
    assert train_ids_of(_own(tmp_path, declaration)) == [IGNORE, 13, 13, 0]
    Image.fromarray(np.array([[*flat[:3], (0, 0, 1)]], dtype=np.uint8)).save(tmp_path / "1/mask.png")
    with pytest.raises(
        InputError,
        match=r"mask\.png: colours \(0, 0, 1\) belong to no label; add them to `colours`, as `unlabeled` to ignore",
    ):
        _own(tmp_path, declaration)
    Image.fromarray(np.zeros((1, 4), dtype=np.uint8)).save(tmp_path / "1/mask.png")
    with pytest.raises(InputError, match=r"mask\.png: expected a label of colours.*declare `ids` instead"):
        _own(tmp_path, declaration)


def test_ids_in_the_red_channel_are_read_where_that_is_declared_and_named_where_it_is_not(tmp_path: Path) -> None:
    """A label of CARLA: the class in red, nothing or the instance in green and blue."""
    pixels = np.zeros((1, 4, 4), np.uint8)
    pixels[0, :, 0], pixels[..., 3] = [1, 14, 0, 11], 255
    image_file(tmp_path / "rgb/000001.png", (4, 1))
    (tmp_path / "seg").mkdir()
    Image.fromarray(pixels).save(tmp_path / "seg/000001.png")
    labels = {"files": "seg/{n}.png", "ids": {0: None, 1: "road", 11: "sky", 14: "car"}}
    with pytest.raises(InputError, match=r"seg/000001\.png: .*add `channel: red` next to `ids` in the declaration"):
        _own(tmp_path, {"images": "rgb/{n}.png", "labels": [labels]})
    index = _own(tmp_path, {"images": "rgb/{n}.png", "labels": [labels | {"channel": "red"}]})
    assert train_ids_of(index) == [0, 13, IGNORE, 10]
    write_json(tmp_path / "index.json", index.to_json())
    assert train_ids_of(read_index(tmp_path / "index.json")) == [0, 13, IGNORE, 10]


def test_masks_hold_the_ids_that_they_are_saved_with(tmp_path: Path) -> None:
    """1 bit holds 0 and 1, a byte often 0 and 255; a declaration of the other is corrected."""
    image_file(tmp_path / "shots/a.png", (4, 1))
    (tmp_path / "masks").mkdir()
    values = np.array([[False, True, True, False]])
    for mask, id_, other, cure in (
        (values, 1, 255, "labels of 1 bit hold 0 and 1: declare 1 where it says 255"),
        (values.astype(np.uint8) * 255, 255, 1, "these masks hold 0 and 255: declare 255 where it says 1"),
    ):
        Image.fromarray(mask).save(tmp_path / "masks/a.png")
        right, wrong = (
            {"images": "shots", "labels": [{"files": "masks", "ids": {0: "road", one: "car"}}]} for one in (id_, other)
        )
        assert train_ids_of(_own(tmp_path, right)) == [0, 13, 13, 0]
        with pytest.raises(InputError, match=rf"a\.png: unknown label ids \[{id_}\]; {cure}"):
            _own(tmp_path, wrong)


def test_brackets_in_a_pattern_are_taken_literally(tmp_path: Path) -> None:
    image_file(tmp_path / "frames/[d]/1.png")
    index = _own(tmp_path, {"images": "frames/[d]/{n}.png"}, checks=Checks(labels="optional"))
    assert [sample.id for sample in index.samples] == ["1"]


@pytest.mark.parametrize(
    ("declaration", "message"),
    [
        ({"images": "../{n}.png"}, "'../{n}.png': expected a path below the root, without .."),
        ({"images": "/data/{n}.png"}, "'/data/{n}.png': expected a path below the root"),
        ({"images": "a", "labels": [{"files": "b", "ids": "citiscapes"}]}, "ids: expected one of cityscapes, "),
        ({"images": "a", "labels": [{"files": "b", "ids": {"256": "road"}}]}, "from 0 to 255, but got '256'"),
        ({"images": "a/**/{n}.png"}, "'a/**/{n}.png': ** is not supported"),
        ({"labels": []}, "images: missing; give the pattern"),
        ({"images": "a", "labels": [{"files": "b", "ids": {1: "road", "1": "car"}}]}, "ids: 1 is listed twice"),
        ({"images": "a", "labels": [{"files": "b", "ids": {"road": "7"}}]}, "from 0 to 255, but got 'road'"),
        (
            {"images": "a", "labels": [{"files": "b", "colours": {"road": [1, 2, 3], None: [0, 0, 0]}}]},
            "colours: expected the name of a label, but got None; `unlabeled` ignores its colours",
        ),
        (
            {"images": "a", "labels": [{"files": "b", "colours": {"road": [1, 2, 3], "sky": [1, 2, 3]}}]},
            "'road' and 'sky' have the same colour, (1, 2, 3)",
        ),
    ],
)
def test_a_wrong_declaration_is_refused_by_name(declaration: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=rf"datasets\.mine: .*{re.escape(message)}"):
        format_named("mine", declaration)


# --- folders


def test_a_folder_of_images_needs_no_declaration_and_no_label(tmp_path: Path) -> None:
    for name in ("a.jpg", "deep/er/b.PNG", "deep/c.webp"):
        image_file(tmp_path / name)
    for other in ("notes.txt", ".hidden.png", ".cache/d.png"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).touch()
    index = index_of("folder", tmp_path, "all", checks=Checks(labels="optional"))
    assert [sample.id for sample in index.samples] == ["a", "deep__c", "deep__er__b"]
    assert index.label_files is None and index.labels == ()
    assert format_named("folder").splits(tmp_path) == ["all", "deep"]
    assert [s.id for s in index_of("folder", tmp_path, "deep", checks=Checks(labels="optional")).samples] == [
        "c",
        "er__b",
    ]
    with pytest.raises(InputError, match="no folder 'train' there; a split of a folder of images is a folder below"):
        index_of("folder", tmp_path, "train", checks=Checks(labels="optional"))


def test_two_images_of_one_name_are_refused_as_one_id(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png"):
        image_file(tmp_path / name)
    with pytest.raises(InputError, match=r"a\.png: the same id 'a' as .*a\.jpg"):
        index_of("folder", tmp_path, "all", checks=Checks(labels="optional"))
