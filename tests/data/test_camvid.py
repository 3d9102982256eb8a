"""CamVid in its two layouts and its 11 classes, on files made here and on real frames if there are any."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.synthia import SYNTHIA_LABELS
from esl.errors import InputError
from tests.data.dataset_files import image_file, index_of, label_file, label_of, train_ids_of

CAMVID11 = CLASS_SETS["camvid11"]

# fmt: off
# label_colors.txt of the release, and the class of SegNet's 11 that each colour is part of, in the grouping that
# MathWorks' example of SegNet on CamVid publishes (camvidPixelLabelIDs); 255: Void
RELEASE = {
    (128, 128, 128): 0,
    (0, 128, 64): 1, (128, 0, 0): 1, (64, 192, 0): 1, (64, 0, 64): 1, (192, 0, 128): 1,
    (192, 192, 128): 2, (0, 0, 64): 2,
    (128, 64, 128): 3, (128, 0, 192): 3, (192, 0, 64): 3,
    (0, 0, 192): 4, (64, 192, 128): 4, (128, 128, 192): 4,
    (128, 128, 0): 5, (192, 192, 0): 5,
    (192, 128, 128): 6, (128, 128, 64): 6, (0, 64, 64): 6,
    (64, 64, 128): 7,
    (64, 0, 128): 8, (64, 128, 192): 8, (192, 128, 192): 8, (192, 64, 128): 8, (128, 64, 64): 8,
    (64, 64, 0): 9, (192, 128, 64): 9, (64, 0, 192): 9, (64, 128, 64): 9,
    (0, 128, 192): 10, (192, 0, 192): 10,
    (0, 0, 0): IGNORE,
}
# fmt: on


def test_ids_of_the_shared_layout_are_the_classes_in_their_order(tmp_path: Path) -> None:
    for split, id_ in (("train", "0001TP_006690"), ("val", "0016E5_07959"), ("test", "Seq05VD_f00000")):
        image_file(tmp_path / f"{split}/{id_}.png")
        label_file(tmp_path / f"{split}annot/{id_}.png", label_of([*range(12)]))
    assert format_named("camvid").splits(tmp_path) == ["test", "train", "val"]
    index = index_of("camvid", tmp_path, "train", CAMVID11)
    assert [sample.id for sample in index.samples] == ["0001TP_006690"]
    assert train_ids_of(index)[:12] == [*range(11), IGNORE]
    both = index_of("camvid", tmp_path, "* !0001TP_*", CAMVID11)
    assert [sample.id for sample in both.samples] == ["0016E5_07959", "Seq05VD_f00000"]
    with pytest.raises(InputError, match=r"split 'trainannot': CamVid .* has the splits train, val, test"):
        index_of("camvid", tmp_path, "trainannot", CAMVID11)


def test_the_releases_32_colours_become_the_11_classes_as_segnets_authors_join_them(tmp_path: Path) -> None:
    assert len(RELEASE) == 32
    image_file(tmp_path / "701_StillsRaw_full/0001TP_006690.png", (32, 1))
    (tmp_path / "LabeledApproved_full").mkdir()
    Image.fromarray(np.array([[*RELEASE]], np.uint8)).save(tmp_path / "LabeledApproved_full/0001TP_006690_L.png")
    index = index_of("camvid32", tmp_path, "all", CAMVID11)
    assert [sample.id for sample in index.samples] == ["0001TP_006690"]
    assert train_ids_of(index) == [*RELEASE.values()]


def test_labels_of_cityscapes_and_synthia_have_the_class_of_camvid_that_means_the_same() -> None:
    expected = {
        "sky": ["sky"],
        "building": ["building", "wall", "bridge", "tunnel"],
        "pole": ["pole", "polegroup"],
        "road": ["road"],
        "sidewalk": ["sidewalk"],
        "vegetation": ["vegetation", "terrain"],
        "traffic sign": ["traffic light", "traffic sign"],
        "fence": ["fence"],
        "car": ["car", "truck", "bus", "caravan", "trailer", "train"],
        "person": ["person"],
        "bicyclist": ["rider", "motorcycle", "bicycle"],
    }
    assert CAMVID11.classes == tuple(expected)
    classes = {label.name: CAMVID11.train_id(label) for label in (*CITYSCAPES_LABELS, *SYNTHIA_LABELS)}
    for train_id, names in enumerate(expected.values()):
        assert {name for name, of in classes.items() if of == train_id} - {"lane marking"} == set(names)
    assert classes["lane marking"] == classes["road"]
    assert not (id_table(CITYSCAPES_LABELS, CAMVID11).train_ids[34:] != IGNORE).any()


def test_real_frames_are_chosen_by_sequence_and_split_and_hold_every_class(real_camvid: Path) -> None:
    every = {"train": "0001TP 0006R0 0016E5", "val": "0016E5", "test": "0001TP"}
    for split, sequences in every.items():
        index = index_of("camvid", real_camvid, split, CAMVID11)
        assert {sample.id.partition("_")[0] for sample in index.samples} == set(sequences.split())
        assert all(index.class_pixels().values())
    for patterns, counts in (
        ("* !0006R0_*", {"0001TP": 124, "0016E5": 153}),
        ("0006R0_*", {"0006R0": 101}),
        ("* !0001TP_*", {"0006R0": 101, "0016E5": 153}),
        ("train/0001TP_*", {"0001TP": 62}),
        ("test/0001TP_*", {"0001TP": 62}),
    ):
        samples = index_of("camvid", real_camvid, patterns, CAMVID11).samples
        assert Counter(sample.id.partition("_")[0] for sample in samples) == counts
