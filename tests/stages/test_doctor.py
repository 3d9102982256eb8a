"""The doctor: how it recognises a folder, and its report of one screen for each split."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_names
from esl.data.formats.gta5 import Gta5
from esl.data.formats.patterns import Layout
from esl.errors import InputError
from esl.stages.doctor import main
from miniature.dataset import render_miniature
from miniature.settings import LAYOUTS, MiniatureSettings

MINIATURE = MiniatureSettings(width=128, height=64, source=3, target_train=5, target_val=2)
Doctor = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A dataset of every layout."""
    root = tmp_path_factory.mktemp("miniature")
    for layout in LAYOUTS:
        render_miniature(root / layout, layout, MINIATURE, seed=0, workers=1)
    return root


@pytest.mark.parametrize(
    ("layout", "lines"),
    [
        ("gta5", ["GTA5 (Richter et al. 2016), split 'all', read as 'gta5'", "3 sound, 3 of them labelled"]),
        ("synthia", ["SYNTHIA-RAND-CITYSCAPES", "GT/LABELS/{number}.png: 8-bit ids, or 16-bit ones", "128x64 (3)"]),
        ("cityscapes", ["split 'train'", "split 'val'", "gtFine/val/*/{frame}_gtFine_labelIds.png: 8-bit ids"]),
        ("mapillary", ["split 'training'", "split 'validation'", "105x78 (3)", "78x105 (1)"]),
    ],
)
def test_every_layout_is_recognised_and_reported_on_a_screen(
    miniature: Path, doctor: Doctor, layout: str, lines: list[str]
) -> None:
    status, report = doctor("--root", miniature / layout)
    assert status == 0
    for line in lines:
        assert line in report
    assert "present: road" in report and "defects    none" in report
    assert len(report.splitlines()) <= 24
    assert max(len(line) for line in report.splitlines()) < 500


def test_real_frames_of_camvid_are_recognised_as_that_and_its_label_folders_are_no_splits(
    real_camvid: Path, doctor: Doctor
) -> None:
    status, report = doctor("--root", real_camvid, "--class-set", "camvid11")
    heads = [line.partition("split ")[2] for line in report.splitlines() if line.startswith(str(real_camvid))]
    assert (status, heads) == (0, [f"'{split}', read as 'camvid'" for split in ("test", "train", "val")])
    assert report.count("ignored    unlabeled (11)") == 3
    status, report = doctor("--root", real_camvid, "--split", "* !0006R0_*")
    assert status == 0 and "277 sound, 277 of them labelled" in report


def test_classes_that_are_absent_or_that_no_label_belongs_to_are_distinguished(miniature: Path, doctor: Doctor) -> None:
    _, report = doctor("--root", miniature / "gta5")
    assert "absent: " in report and "no label of this dataset belongs to" not in report
    _, report = doctor("--root", miniature / "cityscapes", "--split", "train", "--class-set", "vistas7")
    assert "  vistas7\n             present: flat" in report and "human" in report
    ignored = next(line for line in report.splitlines() if line.startswith("  ignored"))
    assert "ego vehicle (1)" in ignored


def test_defects_are_reported_with_the_rest_and_end_with_status_1(tmp_path: Path, doctor: Doctor) -> None:
    for number in range(12):
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir(exist_ok=True)
            image = np.full((4, 6), 7, np.uint8) if folder == "labels" else np.zeros((4, 6, 3), np.uint8)
            Image.fromarray(image).save(tmp_path / folder / f"{number:05d}.png")
    for number in range(10):
        Image.new("RGB", (6, 4), (70, 130, 180)).save(tmp_path / f"labels/{number:05d}.png")
    status, report = doctor("--root", tmp_path)
    assert status == 1
    assert "2 sound, 2 of them labelled" in report and "defects    10" in report
    assert "labels/00000.png: expected a label of 8-bit ids" in report and "... and 2 more" in report


def test_a_folder_of_images_is_recognised_as_such_and_an_empty_one_is_refused(tmp_path: Path, doctor: Doctor) -> None:
    (tmp_path / "day").mkdir()
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "day/a.jpg")
    status, report = doctor("--root", tmp_path)
    assert status == 0
    assert "a folder of images, split 'all', read as 'folder'" in report and "labels     none" in report
    (tmp_path / "day/a.jpg").unlink()
    with pytest.raises(InputError, match="no dataset and no image; expected, for a split SPLIT:\n  gta5: images/"):
        main(["--root", str(tmp_path)])


def test_an_unknown_class_set_or_dataset_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"expected one of {', '.join(CLASS_SETS)}, but got 'city19'"):
        main(["--root", str(tmp_path), "--class-set", "city19"])
    with pytest.raises(InputError, match=f"--dataset: expected one of {', '.join(format_names())}, but got 'gta'"):
        main(["--root", str(tmp_path), "--dataset", "gta"])


def test_a_dataset_one_level_down_and_in_parts_is_reported(miniature: Path, tmp_path: Path) -> None:
    part = tmp_path / "leftImg8bit_trainvaltest"
    shutil.copytree(miniature / "cityscapes/leftImg8bit", part / "leftImg8bit")
    with pytest.raises(InputError, match=r"but .*/leftImg8bit_trainvaltest holds images of cityscapes: unpack all"):
        main(["--root", str(tmp_path)])


def test_acdc_and_dark_zurich_are_not_taken_for_each_other(tmp_path: Path, doctor: Doctor) -> None:
    for root, folder in (("dark", "train/night"), ("acdc", "night/train")):
        path = tmp_path / root / f"rgb_anon/{folder}/GOPR0351/GOPR0351_frame_000001_rgb_anon.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path)
    for root, name in (("dark", "darkzurich"), ("acdc", "acdc")):
        _, report = doctor("--root", tmp_path / root)
        assert report.count("split 'train', read as") == 1 and f"read as '{name}'" in report


# ----------------------------------------------------------------------------------------------- guessing never stops


def _save(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def test_a_list_of_another_format_passes_that_format_over_with_a_line(tmp_path: Path, doctor: Doctor) -> None:
    """The images are in a folder of GTA5's name, and test.txt holds paths: GTA5's reader refuses it."""
    _save(tmp_path / "images/a.png", np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "test.txt").write_text("images/a.png\n")
    status, report = doctor("--root", tmp_path)
    assert status == 0
    assert f"passed over gta5: {tmp_path}/test.txt: 'images/a.png': expected plain numbers" in report
    assert "a folder of images, split 'all', read as 'folder'" in report
    with pytest.raises(InputError, match="expected plain numbers"):  # asked for by name, it is an error
        main(["--root", str(tmp_path), "--dataset", "gta5", "--workers", "1"])


def test_a_damaged_table_of_labels_passes_vistas_over_with_a_line(
    miniature: Path, tmp_path: Path, doctor: Doctor
) -> None:
    shutil.copytree(miniature / "mapillary", tmp_path / "vistas")
    (config,) = (tmp_path / "vistas").glob("config*.json")
    config.write_text("{}")
    _, report = doctor("--root", tmp_path / "vistas")
    assert f"passed over mapillary: {config}: not a config file of Mapillary Vistas" in report


# ---------------------------------------------------------------------------------------------- the user's own config


def _own_dataset(folder: Path) -> Path:
    """A config in two files, with the user's own dataset and class set."""
    _save(folder / "root/shots/a.jpg", np.zeros((2, 2, 3), np.uint8))
    _save(folder / "root/masks/a.png", np.array([[7, 9], [7, 9]], np.uint8))
    (folder / "base.yaml").write_text("datasets: {camera: {images: nowhere}}\nbenchmarks: {}\n")
    (folder / "own.yaml").write_text(
        "datasets: {camera: {title: My camera, images: shots, labels: [{files: masks, ids: {7: free, 9: blocked}}]}}\n"
        "class_sets: {two: {blocked: {}, free: {colour: [0, 255, 0]}}}\n"
    )
    return folder / "root"


def test_a_dataset_that_the_users_own_config_declares_is_checked(tmp_path: Path, doctor: Doctor) -> None:
    root = _own_dataset(tmp_path)
    flags = ["--configfile", tmp_path / "base.yaml", tmp_path / "own.yaml", "--class-set", "two"]
    for asked in (["--dataset", "camera"], []):  # by name, and by guessing
        status, report = doctor("--root", root, *asked, *flags)
        assert status == 0
        assert "My camera, split 'all', read as 'camera'" in report and "1 sound, 1 of them labelled" in report
        assert "present: blocked 50 %, free 50 %" in report


def test_config_files_are_merged_key_by_key_and_null_removes_a_dataset(tmp_path: Path, doctor: Doctor) -> None:
    root = _own_dataset(tmp_path)
    (tmp_path / "title.yaml").write_text("datasets: {camera: {title: Another title}, other: {images: shots}}\n")
    (tmp_path / "null.yaml").write_text("datasets: {camera: null}\nclass_sets: {two: null}\n")
    files = [tmp_path / name for name in ("own.yaml", "title.yaml")]
    status, report = doctor("--root", root, "--dataset", "camera", "--class-set", "two", "--configfile", *files)
    assert status == 0 and "Another title, split 'all'" in report and "1 of them labelled" in report
    files = [tmp_path / name for name in ("own.yaml", "title.yaml", "null.yaml")]
    with pytest.raises(InputError, match=r"--dataset: expected one of .*, other, but got 'camera'"):
        main(["--root", str(root), "--dataset", "camera", "--configfile", *map(str, files)])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datasets: [camera]", "datasets.(top level): input should be"),
        ("datasets: {camera: {pictures: shots}}", "datasets.camera.images"),
        ("datasets: {camera: {images: shots, labels: [{files: masks}]}}", "expected either `ids` or `colours`"),
        ("class_sets: {two: {road: {color: [1, 2, 3]}}}", "class_sets.two.road.color"),
        ("- a list", "expected a mapping"),
        ("a: [", "not readable as YAML"),
    ],
)
def test_a_mistake_in_the_users_own_config_is_refused_by_key(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.yaml").write_text(text)
    with pytest.raises(InputError, match=re.escape(message)):
        main(["--root", str(tmp_path), "--configfile", str(tmp_path / "own.yaml")])


def test_a_config_that_is_missing_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: no such file"):
        main(["--root", str(tmp_path), "--configfile", str(tmp_path / "none.yaml")])


def test_a_split_may_be_a_list_file(miniature: Path, tmp_path: Path, doctor: Doctor) -> None:
    shutil.copytree(miniature / "gta5", tmp_path / "gta5")
    (tmp_path / "gta5/half.txt").write_text("00001\n00002.png\n")
    status, report = doctor("--root", tmp_path / "gta5", "--split", "half.txt")
    assert status == 0 and "split 'half.txt', read as 'gta5'" in report and "2 sound, 2 of them labelled" in report


def test_photographs_next_to_a_list_file_are_a_folder_of_images(tmp_path: Path, doctor: Doctor) -> None:
    Image.new("RGB", (12, 8)).save(tmp_path / "1.png")
    (tmp_path / "train.txt").write_text("1.png\n")
    for asked in ([], ["--split", "train.txt"]):
        status, report = doctor("--root", tmp_path, *asked)
        assert status == 0 and "read as 'folder'" in report and "gta5" not in report


def test_a_list_that_names_no_image_of_a_format_is_no_split_of_it(tmp_path: Path, doctor: Doctor) -> None:
    """The photographs are in a folder of GTA5's name; the list belongs to something else."""
    _save(tmp_path / "images/a.png", np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "train.txt").write_text("numpy\npandas\n")
    (tmp_path / "val.txt").write_bytes(b"\xff\xfe")
    status, report = doctor("--root", tmp_path)
    assert status == 0 and "split 'all', read as" in report and "split 'train'" not in report


def test_a_format_fits_by_the_images_that_it_lists_not_by_the_splits_that_it_claims(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SYNTHIA claims to be there, and lists no image."""
    _save(tmp_path / "images/00001.png", np.zeros((4, 6, 3), np.uint8))
    monkeypatch.setattr(Layout, "splits", lambda self, root: ["all"] if "SYNTHIA" in self.title else list[str]())
    monkeypatch.setattr(Gta5, "splits", lambda self, root: ["all"])
    status, report = doctor("--root", tmp_path)
    assert status == 0 and "read as 'gta5'" in report and "SYNTHIA" not in report


def test_a_split_that_is_not_there_is_refused_with_those_that_are(miniature: Path) -> None:
    with pytest.raises(InputError, match=r"no samples of cityscapes 'day' there; .*; it has images of 'train', 'val'"):
        main(["--root", str(miniature / "cityscapes"), "--split", "day", "--workers", "1"])
