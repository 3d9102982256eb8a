"""The files of a dataset as an input: changes with and without another token."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.data import changes
from esl.data.changes import ABSENT, files_of, record_of, state
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.settings import IndexSettings
from esl.stages.index import main

GTA5 = format_named("gta5")


def _save(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def _add(root: Path, number: int, value: int = 7) -> None:
    _save(root / f"images/{number:05d}.png", np.full((4, 6, 3), number, np.uint8))
    _save(root / f"labels/{number:05d}.png", np.full((4, 6), value, np.uint8))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for number in (1, 2, 3):
        _add(tmp_path / "gta5", number)
    return tmp_path / "gta5"


@pytest.fixture
def index(tmp_path: Path) -> Path:
    return tmp_path / "results/data/source.json"


def _state(root: Path, index: Path, split: str = "all") -> str:
    return state(root, GTA5, split, record_of(index)).files


def _run_index(root: Path, index: Path, split: str = "all") -> str:
    """Plans, and runs the stage with the token, like the workflow; returns it."""
    tokens = state(root, GTA5, split, record_of(index))
    settings = IndexSettings(root=str(root), dataset="gta5", split=split, class_set=CLASS_SETS["cityscapes19"])
    flags = ["--token", tokens.files, "--image-token", tokens.images, "--output", str(index), "--workers", "1"]
    main(["--settings", settings.canonical(), *flags])
    return tokens.files


def _touch(path: Path, seconds: int = 5) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + seconds * 10**9))


def _correct_label(root: Path) -> None:
    """Other bytes of the same size."""
    path = root / "labels/00002.png"
    content = bytearray(path.read_bytes())
    Image.fromarray(np.full((4, 6), 8, np.uint8)).save(path)
    assert path.stat().st_size == len(content) and path.read_bytes() != content
    _touch(path)


def _replace_image(root: Path) -> None:
    _save(root / "images/00002.png", np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8))


def _remove(root: Path) -> None:
    for folder in ("images", "labels"):
        (root / folder / "00003.png").unlink()


CHANGES: dict[str, Callable[[Path], None]] = {
    "image added": lambda root: _add(root, 4),
    "label corrected": _correct_label,
    "image replaced": _replace_image,
    "files removed": _remove,
    "label alone removed": lambda root: (root / "labels/00003.png").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("recorded", [True, False])
def test_a_change_of_the_data_changes_the_token_until_it_is_undone_or_indexed(
    root: Path, index: Path, tmp_path: Path, change: str, recorded: bool
) -> None:
    before = _run_index(root, index) if recorded else _state(root, index)
    assert _state(root, index) == before
    shutil.copytree(root, tmp_path / "kept")  # copies dates too
    CHANGES[change](root)
    changed = _state(root, index)
    assert changed != before and _state(root, index) == changed
    shutil.rmtree(root)
    shutil.copytree(tmp_path / "kept", root)
    assert _state(root, index) == before


@pytest.mark.parametrize("change", [name for name in CHANGES if name != "label alone removed"])
def test_a_change_that_was_indexed_is_the_new_state(root: Path, index: Path, change: str) -> None:
    before = _run_index(root, index)
    CHANGES[change](root)
    after = _run_index(root, index)
    assert before != after == _state(root, index)


def test_the_token_of_the_images_follows_images_alone(root: Path, index: Path) -> None:
    def images() -> str:
        return state(root, GTA5, "all", record_of(index)).images

    _run_index(root, index)
    before = images()
    _correct_label(root)
    assert images() == before
    _run_index(root, index)
    assert images() == before
    _replace_image(root)
    assert (changed := images()) != before
    _run_index(root, index)
    assert images() == changed
    _remove(root)
    assert images() not in (before, changed)


def test_files_that_were_only_touched_keep_the_token_and_they_alone_are_read(
    root: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _run_index(root, index)
    read: list[str] = []

    def sha256_of_file(path: Path) -> str:
        read.append(path.name)
        return digest(path)

    digest = changes.sha256_of_file
    monkeypatch.setattr(changes, "sha256_of_file", sha256_of_file)
    assert _state(root, index) == token and read == []
    _touch(root / "images/00002.png")
    assert _state(root, index) == token and read == ["00002.png"]
    assert _state(root, index) == token and read == ["00002.png"]  # its new date has been recorded
    _add(root, 4)  # another set of files: there is nothing to read
    assert _state(root, index) != token and read == ["00002.png"]


def test_new_dates_that_cannot_be_recorded_are_no_error(
    root: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = _run_index(root, index)
    recorded = record_of(index).read_bytes()

    def write_json(path: Path, content: dict[str, Any]) -> None:
        raise PermissionError(f"{path}: a folder of somebody else's")

    monkeypatch.setattr(changes, "write_json", write_json)
    _touch(root / "images/00002.png")
    assert _state(root, index) == token and _state(root, index) == token
    assert record_of(index).read_bytes() == recorded


def test_a_touched_file_next_to_a_changed_one_records_nothing(root: Path, index: Path) -> None:
    token = _run_index(root, index)
    recorded = record_of(index).read_bytes()
    _touch(root / "images/00001.png")
    _correct_label(root)
    assert _state(root, index) != token and record_of(index).read_bytes() == recorded


def test_without_a_record_a_touched_file_is_a_changed_one(root: Path, index: Path) -> None:
    before = _state(root, index)
    _touch(root / "images/00002.png")
    assert _state(root, index) != before


def test_a_root_that_was_deleted_keeps_its_token_and_one_that_never_was_is_absent(root: Path, index: Path) -> None:
    token = _run_index(root, index)
    shutil.rmtree(root)
    assert _state(root, index) == token
    record_of(index).unlink()
    assert _state(root, index) == ABSENT


def test_a_dataset_that_is_rendered_after_planning_keeps_the_token_of_its_absence(root: Path, index: Path) -> None:
    kept = root.rename(root.with_name("kept"))
    token = _state(root, index)
    assert token == ABSENT
    kept.rename(root)  # rendered meanwhile
    settings = IndexSettings(root=str(root), dataset="gta5", split="all", class_set=CLASS_SETS["cityscapes19"])
    main(
        [
            "--settings",
            settings.canonical(),
            "--token",
            token,
            "--image-token",
            token,
            "--output",
            str(index),
            "--workers",
            "1",
        ]
    )
    assert _state(root, index) == ABSENT
    shutil.rmtree(root)
    for number in (1, 2, 3):
        _add(root, number)  # rendered again, to the same bytes at another time
    assert _state(root, index) == ABSENT
    _correct_label(root)
    assert _state(root, index) != ABSENT


@pytest.mark.parametrize(
    "content", [None, "", "[]", "{}", '{"token": 1, "files": {}}', '{"token": "a", "files": {"b": 1}}']
)
def test_a_record_that_is_deleted_or_damaged_counts_as_none(root: Path, index: Path, content: str | None) -> None:
    token = _run_index(root, index)
    record_of(index).unlink()
    if content is not None:
        record_of(index).write_text(content)
    assert _state(root, index) == token  # sizes and dates are as they were


def test_lists_tables_and_list_files_belong_to_the_files(root: Path, index: Path, tmp_path: Path) -> None:
    (root / "val.txt").write_text("00001\n")
    (tmp_path / "gta5/own.txt").write_text("00001\n00002\n")
    for split, name in (("val", "val.txt"), ("own.txt", "own.txt")):
        assert root / name in files_of(GTA5, root, split)[1]
        token = _run_index(root, index, split)
        _touch(root / name)
        assert _state(root, index, split) == token
        (root / name).write_text("00003\n")
        assert _state(root, index, split) != token
    assert root / "val.txt" not in files_of(GTA5, root, "all")[1]


def test_a_list_file_of_the_working_folder_is_watched_too(
    root: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("own.txt").write_text("00001\n")
    token = _run_index(root, index, "own.txt")
    assert "./own.txt" in json.loads(record_of(index).read_text())["files"]
    _touch(Path("own.txt"))
    assert _state(root, index, "own.txt") == token
    Path("own.txt").write_text("00002\n")
    assert _state(root, index, "own.txt") != token


def test_vistas_config_belongs_to_the_files(tmp_path: Path) -> None:
    _save(tmp_path / "training/images/a.jpg", np.zeros((4, 6, 3), np.uint8))
    (tmp_path / "config.json").write_text('{"labels": [{"name": "object--pothole", "color": [0, 0, 0]}]}')
    images, others = files_of(format_named("mapillary"), tmp_path, "training")
    assert [path.name for path in images] == ["a.jpg"] and "config.json" in {path.name for path in others}


def test_a_dataset_that_cannot_be_listed_has_a_token_that_says_so(root: Path, index: Path) -> None:
    for split, message in (("val", "no list of the part 'val'"), ("none.txt", "no such list file")):
        assert _state(root, index, split).startswith("unlisted: ") and message in _state(root, index, split)
    (root / "split.mat").write_bytes(b"no matlab")
    assert "split.mat: not readable as a file of MATLAB" in _state(root, index, "train")
    (root / "split.mat").unlink()
    _run_index(root, index)
    assert _state(root, index, "val").startswith("unlisted: ")  # a record changes nothing of it
