"""The index stage as a doctor: one screen a split, and what it takes a folder for."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.index import read_index
from esl.errors import InputError
from esl.stages.index import main
from miniature.data_set import render_miniature

COUNTS = {"source": 3, "target_train": 5, "target_val": 2}
Doctor = Callable[..., tuple[int, str]]


@pytest.fixture(scope="module")
def miniature(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set of every layout."""
    root = tmp_path_factory.mktemp("miniature")
    for layout in ("gta5", "synthia", "cityscapes", "mapillary"):
        settings = {"seed": 0, "width": 128, "height": 64, "shift": 0.8}
        render_miniature(root / layout, layout, COUNTS, settings, workers=1)
    return root


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Doctor:
    """Runs the stage; returns its exit status and what it printed."""

    def run(*flags: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["index", *map(str, flags), "--workers", "1"])
        with pytest.raises(SystemExit) as ended:
            main()
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().out

    return run


@pytest.mark.parametrize(
    ("layout", "lines"),
    [
        ("gta5", ["GTA5 (Richter et al. 2016), split 'all', read as 'gta5'", "3 sound, 3 of them labelled"]),
        ("synthia", ["SYNTHIA-RAND-CITYSCAPES", "GT/LABELS/{number}.png: 8-bit ids, or 16-bit ones", "128x64 (3)"]),
        ("cityscapes", ["split 'train'", "split 'val'", "gtFine/val/*/{frame}_gtFine_labelIds.png: 8-bit ids"]),
        ("mapillary", ["split 'training'", "split 'validation'", "105x78 (3)", "78x105 (1)"]),
    ],
)
def test_every_layout_is_recognised_and_told_on_a_screen(
    miniature: Path, doctor: Doctor, layout: str, lines: list[str]
) -> None:
    status, told = doctor("--root", miniature / layout)
    assert status == 0
    for line in lines:
        assert line in told
    assert "present: road" in told and "defects    none" in told
    assert len(told.splitlines()) <= 24
    assert max(len(line) for line in told.splitlines()) < 500


def test_classes_that_are_absent_or_that_no_label_means_are_told_apart(miniature: Path, doctor: Doctor) -> None:
    _, told = doctor("--root", miniature / "gta5")
    assert "absent: " in told and "no label of this data set means" not in told
    _, told = doctor("--root", miniature / "cityscapes", "--split", "train", "--class-set", "vistas7")
    assert "  vistas7\n             present: flat" in told and "human" in told
    ignored = next(line for line in told.splitlines() if line.startswith("  ignored"))
    assert "ego vehicle (1)" in ignored


def test_defects_are_told_with_the_rest_and_end_with_status_1(tmp_path: Path, doctor: Doctor) -> None:
    for number in range(12):
        for folder in ("images", "labels"):
            (tmp_path / folder).mkdir(exist_ok=True)
            image = np.full((4, 6), 7, np.uint8) if folder == "labels" else np.zeros((4, 6, 3), np.uint8)
            Image.fromarray(image).save(tmp_path / folder / f"{number:05d}.png")
    for number in range(10):
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / f"labels/{number:05d}.png")
    status, told = doctor("--root", tmp_path)
    assert status == 1
    assert "2 sound, 2 of them labelled" in told and "defects    10" in told
    assert "labels/00000.png: expected a label of 8-bit ids" in told and "... and 2 more" in told


def test_a_folder_of_pictures_is_taken_for_nothing_more_and_an_empty_one_for_nothing(
    tmp_path: Path, doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "day").mkdir()
    Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(tmp_path / "day/a.jpg")
    status, told = doctor("--root", tmp_path)
    assert status == 0
    assert "a folder of pictures, split 'all', read as 'folder'" in told and "labels     none" in told
    (tmp_path / "day/a.jpg").unlink()
    monkeypatch.setattr(sys, "argv", ["index", "--root", str(tmp_path)])
    with pytest.raises(InputError, match="no data set and no picture; expected, for a split SPLIT:\n  gta5: images/"):
        main()


def test_a_declared_data_set_and_class_set_end_in_an_index_that_needs_neither(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "shots").mkdir()
    (tmp_path / "masks").mkdir()
    Image.fromarray(np.zeros((2, 2, 3), np.uint8)).save(tmp_path / "shots/a.jpg")
    Image.fromarray(np.array([[[9, 9, 9], [1, 2, 3]]] * 2, np.uint8)).save(tmp_path / "masks/a.png")
    colours = {"free": [9, 9, 9], "blocked": [1, 2, 3]}
    declared = json.dumps({"pictures": "shots", "labels": [{"files": "masks", "colours": colours}]})
    classes = json.dumps({"blocked": {}, "free": {"colour": [0, 255, 0]}})
    output = tmp_path / "index.json"
    flags = ["--root", tmp_path, "--dataset", "mine", "--declared", declared, "--split", "all", "--class-set", "two"]
    flags += ["--declared-classes", classes, "--labels", "required", "--output", output, "--workers", "1"]
    monkeypatch.setattr(sys, "argv", ["index", *map(str, flags)])
    main()
    index = read_index(output)
    assert (index.class_set.name, index.class_set.classes) == ("two", ("blocked", "free"))
    assert index.class_set.colours[1] == (0, 255, 0)
    assert index.read_label(index.samples[0]).tolist() == [[1, 0], [1, 0]]
    assert json.loads(output.read_text())["class_pixels"] == {"blocked": 2, "free": 2}


def test_an_unknown_class_set_is_refused_with_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["index", "--root", str(tmp_path), "--class-set", "city19"])
    with pytest.raises(InputError, match=f"expected one of {', '.join(CLASS_SETS)}, but got 'city19'"):
        main()


def test_a_data_set_one_level_down_and_in_parts_is_told(
    miniature: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = tmp_path / "leftImg8bit_trainvaltest"
    shutil.copytree(miniature / "cityscapes/leftImg8bit", part / "leftImg8bit")
    monkeypatch.setattr(sys, "argv", ["index", "--root", str(tmp_path)])
    with pytest.raises(InputError, match=r"but .*/leftImg8bit_trainvaltest holds pictures of cityscapes: unpack all"):
        main()


def test_acdc_and_dark_zurich_are_not_taken_for_each_other(tmp_path: Path, doctor: Doctor) -> None:
    for root, folder in (("dark", "train/night"), ("acdc", "night/train")):
        path = tmp_path / root / f"rgb_anon/{folder}/GOPR0351/GOPR0351_frame_000001_rgb_anon.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(np.zeros((4, 6, 3), np.uint8)).save(path)
    for root, name in (("dark", "darkzurich"), ("acdc", "acdc")):
        _, told = doctor("--root", tmp_path / root)
        assert told.count("split 'train', read as") == 1 and f"read as '{name}'" in told


@pytest.mark.parametrize(("flag", "text"), [("--declared-classes", "{nope"), ("--declared-classes", "[1]")])
def test_a_declaration_that_is_no_json_object_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flag: str, text: str
) -> None:
    monkeypatch.setattr(sys, "argv", ["index", "--root", str(tmp_path), flag, text])
    with pytest.raises(InputError, match=r"expected (a )?JSON"):
        main()
