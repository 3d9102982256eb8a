"""Every dataset in its exact official layout: written files are read back as the right trainIds."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.data.formats.base import require_root
from esl.data.formats.build import format_named, format_names
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.data.label_tables.synthia import SYNTHIA_LABELS
from esl.data.settings import Checks
from esl.errors import InputError
from tests.data.dataset_files import SYNTHIA16, TRAIN_ID, image_file, index_of, label_file, label_of, train_ids_of

PngOf16Bits = Callable[[NDArray[np.uint16]], bytes]


# ------------------------------------------------------------------------------------------------------------- GTA5


def _gta5(root: Path, numbers: tuple[int, ...] = (1,)) -> Path:
    for number in numbers:
        image_file(root / f"images/{number:05d}.png")
        label_file(root / f"labels/{number:05d}.png", label_of([*range(35)]), [label.colour for label in GTA5_LABELS])
    return root


def test_gta5_palette_labels_are_read_as_indices_of_all_35_ids(tmp_path: Path) -> None:
    index = index_of("gta5", _gta5(tmp_path), "all")
    names = [*(label.name for label in CITYSCAPES_LABELS), "license plate"]
    assert index.samples[0].id == "00001"
    assert train_ids_of(index)[:35] == [TRAIN_ID[name] if 0 <= TRAIN_ID[name] < 19 else IGNORE for name in names]


@pytest.mark.parametrize("how", ["text", "matlab"])
def test_gta5s_parts_are_those_of_its_lists(tmp_path: Path, how: str) -> None:
    _gta5(tmp_path, (1, 2, 3))
    if how == "text":
        (tmp_path / "val.txt").write_text("00001.png\n00003\n")
    else:
        savemat = pytest.importorskip("scipy.io").savemat
        savemat(tmp_path / "split.mat", {"trainIds": [[2]], "valIds": [[1], [3]], "testIds": [[]]})
    assert [sample.id for sample in index_of("gta5", tmp_path, "val").samples] == ["00001", "00003"]
    assert len(index_of("gta5", tmp_path, "all").samples) == 3
    named = ["val"] if how == "text" else ["train", "val"]  # testIds is empty
    assert format_named("gta5").splits(tmp_path) == ["all", *named]


def test_a_part_of_gta5_is_a_split_if_its_list_names_an_image_or_is_damaged(tmp_path: Path) -> None:
    for part in ("train", "val"):
        (tmp_path / f"{part}.txt").write_text("00001\n")
    assert format_named("gta5").splits(tmp_path) == []
    _gta5(tmp_path)
    (tmp_path / "train.txt").write_text("00009\n")
    (tmp_path / "val.txt").write_bytes(b"\xef\xbb\xbf00001\r\n")  # as Windows' editors write it
    (tmp_path / "test.txt").write_bytes(b"\xff\xfe")
    assert format_named("gta5").splits(tmp_path) == ["all", "test", "val"]
    with pytest.raises(InputError, match=r"test\.txt: expected text in UTF-8, one number or file name per line"):
        index_of("gta5", tmp_path, "test")


def test_a_list_of_a_part_that_is_missing_or_names_paths_or_absent_images_is_refused(tmp_path: Path) -> None:
    _gta5(tmp_path)
    with pytest.raises(InputError, match=r"no list of the part 'val'; expected val\.txt, or the download's split\.mat"):
        index_of("gta5", tmp_path, "val")
    (tmp_path / "val.txt").write_text("../00001.png\n")
    with pytest.raises(InputError, match=r"val\.txt: '\.\./00001\.png': expected plain numbers or file names"):
        index_of("gta5", tmp_path, "val")
    (tmp_path / "val.txt").write_text("00001\n00009\n")
    with pytest.raises(InputError, match="no image '00009', but the list of 'val' names it"):
        index_of("gta5", tmp_path, "val")
    (tmp_path / "split.mat").write_bytes(b"no matlab")
    with pytest.raises(InputError, match=r"split\.mat: not readable as a file of MATLAB"):
        index_of("gta5", tmp_path, "train")


# ---------------------------------------------------------------------------------------------------------- SYNTHIA


@pytest.mark.parametrize("folder", ["LABELS", "CLASSES"])
def test_synthias_ids_are_read_from_16_bits_or_where_those_are_missing_from_8(
    tmp_path: Path, folder: str, png_of_16_bits: PngOf16Bits
) -> None:
    ids = label_of([*range(23)])
    image_file(tmp_path / "RGB/0000000.png")
    image_file(tmp_path / "GT/COLOR/0000000.png")  # holds no ids
    if folder == "LABELS":
        channels = np.stack([ids, ids.astype(np.uint16) + 500, 0 * ids], axis=-1).astype(
            np.uint16
        )  # class, instance, nothing
        (tmp_path / "GT/LABELS").mkdir()
        (tmp_path / "GT/LABELS/0000000.png").write_bytes(png_of_16_bits(channels))
        label_file(tmp_path / "GT/CLASSES/0000000.png", 0 * ids)  # not to be looked at
    else:
        label_file(tmp_path / "GT/CLASSES/0000000.png", ids)
    names = [label.name for label in SYNTHIA_LABELS]
    classes = SYNTHIA16.classes
    expected = [classes.index(name) if name in classes else IGNORE for name in names]
    index = index_of("synthia", tmp_path, "all", SYNTHIA16)
    assert train_ids_of(index)[:23] == expected
    assert index.label_files == f"GT/{folder}/{{number}}.png"


# ------------------------------------------------------------------------------------------------------- Cityscapes


def _frame(root: Path, split: str, city: str, kind: str = "gtFine", ids: str = "labelIds", number: int = 0) -> None:
    stem = f"{split}/{city}/{city}_{number:06d}_000019"
    image_file(root / f"leftImg8bit/{stem}_leftImg8bit.png")
    label_file(
        root / f"{kind}/{stem}_{kind}_{ids}.png", label_of([*range(34)] if ids == "labelIds" else [*range(19), 255])
    )


def test_cityscapes_is_read_over_all_cities_of_a_split_and_nothing_else_in_its_folders(tmp_path: Path) -> None:
    for split, city in (("train", "ulm"), ("train", "aachen"), ("val", "frankfurt")):
        _frame(tmp_path, split, city)
        for other in ("color.png", "instanceIds.png", "polygons.json"):
            (tmp_path / f"gtFine/{split}/{city}/{city}_000000_000019_gtFine_{other}").touch()
    index = index_of("cityscapes", tmp_path, "train")
    assert [sample.id for sample in index.samples] == ["aachen_000000_000019", "ulm_000000_000019"]
    assert index.samples[0].label == "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png"
    expected = [TRAIN_ID[label.name] if TRAIN_ID[label.name] < 19 else IGNORE for label in CITYSCAPES_LABELS]
    assert train_ids_of(index)[:34] == expected
    assert format_named("cityscapes").splits(tmp_path) == ["train", "val"]


def test_cityscapes_label_train_ids_are_read_where_there_are_no_label_ids(tmp_path: Path) -> None:
    _frame(tmp_path, "val", "lindau", ids="labelTrainIds")
    index = index_of("cityscapes", tmp_path, "val")
    assert train_ids_of(index)[:20] == [*range(19), IGNORE]
    _frame(tmp_path, "val", "lindau", ids="labelIds")
    assert index_of("cityscapes", tmp_path, "val").label_files == "gtFine/val/*/{frame}_gtFine_labelIds.png"


def test_cityscapes_coarse_labels_are_those_of_train_extra_and_come_after_fine_ones(tmp_path: Path) -> None:
    _frame(tmp_path, "train_extra", "bayreuth", kind="gtCoarse")
    _frame(tmp_path, "train", "ulm", kind="gtCoarse")
    _frame(tmp_path, "train", "ulm")
    assert index_of("cityscapes", tmp_path, "train_extra").label_files.startswith("gtCoarse/train_extra/")  # type: ignore[union-attr]
    assert index_of("cityscapes", tmp_path, "train").label_files.startswith("gtFine/train/")  # type: ignore[union-attr]


def test_cityscapes_test_images_without_labels_are_a_target_and_dummy_labels_are_refused(tmp_path: Path) -> None:
    image_file(tmp_path / "leftImg8bit/test/bonn/bonn_000000_000019_leftImg8bit.png")
    for demand in ("optional", "scored"):
        index = index_of("cityscapes", tmp_path, "test", checks=Checks(labels=demand))
        assert (len(index.samples), index.labelled) == (1, [])
    label_file(tmp_path / "gtFine/test/bonn/bonn_000000_000019_gtFine_labelIds.png", label_of([1, 2, 3]))
    with pytest.raises(InputError, match=r"no pixel of any class of cityscapes19 in any label .*dummies"):
        index_of("cityscapes", tmp_path, "test", checks=Checks(labels="scored"))
    assert len(index_of("cityscapes", tmp_path, "test", checks=Checks(labels="optional")).samples) == 1


def test_a_frame_in_two_cities_is_refused_as_one_id(tmp_path: Path) -> None:
    _frame(tmp_path, "train", "ulm")
    image_file(tmp_path / "leftImg8bit/train/zurich/ulm_000000_000019_leftImg8bit.png")
    with pytest.raises(InputError, match=r"the same id 'ulm_000000_000019' as .*/ulm/ulm_000000_000019_left"):
        index_of("cityscapes", tmp_path, "train")


# ---------------------------------------------------------------------------------------------------------------- all


def test_an_unknown_format_a_missing_root_and_an_unknown_split_are_refused_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gta5, mapillary, cityscapes, synthia, .*, folder, but got 'gta'"):
        format_named("gta")
    with pytest.raises(InputError, match=r"nowhere: no such folder; benchmarks\.x\.source\.root must be"):
        require_root(tmp_path / "nowhere", "benchmarks.x.source.root")
    assert require_root(tmp_path, "key") == tmp_path
    image_file(tmp_path / "RGB/0000000.png")
    with pytest.raises(InputError, match=r"split 'train': SYNTHIA-RAND-CITYSCAPES .* has no splits; ask for 'all'"):
        index_of("synthia", tmp_path, "train")


@pytest.mark.parametrize("name", format_names())
def test_every_format_describes_its_layout_if_the_root_is_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / "train").mkdir()
    split = "all" if name in ("gta5", "synthia", "camvid32", "folder") else "train"
    assert format_named(name).splits(tmp_path) == []
    with pytest.raises(InputError, match=rf"no samples of {name} '{split}' there; expected \S+"):
        index_of(name, tmp_path, split)
