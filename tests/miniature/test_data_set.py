"""The stage that writes the miniature: repeatable, replaces its own files, never anybody else's."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from miniature.data_set import main

COUNTS = ["--source", "3", "--target-train", "4", "--target-val", "2"]
SMALL = ["--width", "64", "--height", "32", *COUNTS, "--workers", "1"]
MANIFEST = "cityscapes.json"
FILES = 2 * 6 + 2  # with the manifest and the record


def _render(root: Path, *flags: str) -> dict[str, Any]:
    main(["--root", str(root / "cityscapes"), "--layout", "cityscapes", *SMALL, *flags])
    manifest: dict[str, Any] = json.loads((root / MANIFEST).read_text())
    return manifest


def _files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_the_manifest_tells_settings_counts_and_shares(tmp_path: Path) -> None:
    manifest = _render(tmp_path)
    assert manifest["settings"] == {"seed": 0, "width": 64, "height": 32, "shift": 0.8}
    assert (manifest["layout"], manifest["pictures"]) == ("cityscapes", 4 + 2)
    shares = manifest["class_shares"]
    assert len(shares) == 20 and sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert len(_files(tmp_path)) == FILES


def test_the_same_settings_give_the_same_manifest_and_any_other_gives_another(tmp_path: Path) -> None:
    digest = _render(tmp_path / "a")["sha256"]
    assert _render(tmp_path / "b")["sha256"] == digest
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()
    for flags in (("--seed", "1"), ("--shift", "0.5"), ("--target-val", "3")):
        assert _render(tmp_path / "b", *flags)["sha256"] != digest


def test_an_older_rendering_is_replaced_as_a_whole(tmp_path: Path) -> None:
    _render(tmp_path, "--target-train", "9")
    _render(tmp_path)
    assert len(_files(tmp_path)) == FILES


def test_a_killed_rendering_is_repeated(tmp_path: Path) -> None:
    finished = _render(tmp_path)
    (tmp_path / MANIFEST).unlink()
    lost = next((tmp_path / "cityscapes/gtFine").rglob("*.png"))
    lost.unlink()
    lost.with_name(f".{lost.name}.77.part").write_bytes(b"half")
    assert _render(tmp_path) == finished
    assert len(_files(tmp_path)) == FILES


@pytest.mark.parametrize("foreign", ["cityscapes/notes.txt", "cityscapes/gtFine/train/ulm/a.png"])
def test_a_folder_with_files_of_others_is_refused_and_left_alone(tmp_path: Path, foreign: str) -> None:
    (tmp_path / foreign).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / foreign).write_text("{}")
    with pytest.raises(ValueError, match=f"{foreign}.*choose another root"):
        _render(tmp_path)
    assert _files(tmp_path) == {foreign}


def test_a_file_added_to_a_rendering_is_not_removed(tmp_path: Path) -> None:
    _render(tmp_path)
    (tmp_path / "cityscapes/leftImg8bit/mine.png").touch()
    with pytest.raises(ValueError, match=r"mine\.png"):
        _render(tmp_path)
    assert (tmp_path / MANIFEST).exists() and len(_files(tmp_path)) == FILES + 1


def test_a_mistake_ends_the_stage_with_one_line_and_status_1(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "miniature.data_set",
        "--root",
        str(tmp_path / "a"),
        "--layout",
        "gta5",
        *SMALL,
        "--source",
        "0",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr == "error: Expected at least one picture of source, but got 0\n"


def test_wrong_settings_leave_an_older_rendering_alone(tmp_path: Path) -> None:
    _render(tmp_path)
    with pytest.raises(ValueError, match="shift"):
        _render(tmp_path, "--shift", "-1")
    assert len(_files(tmp_path)) == FILES


def test_another_layout_in_the_same_folder_replaces_the_one_before(tmp_path: Path) -> None:
    _render(tmp_path)
    main(["--root", str(tmp_path / "cityscapes"), "--layout", "mapillary", *SMALL])
    folders = {path.name for path in (tmp_path / "cityscapes").iterdir() if path.is_dir()}
    assert folders == {"training", "validation"}
    _render(tmp_path)
    assert len(_files(tmp_path)) == FILES
