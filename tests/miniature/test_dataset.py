"""Writing the miniature: repeatable, replaces its own files, never other ones."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from esl.errors import InputError
from miniature.__main__ import main
from miniature.layouts import SCENES
from miniature.settings import LAYOUTS, MiniatureSettings

SMALL = {"width": 64, "height": 32, "source": 3, "target_train": 4, "target_val": 2}
MANIFEST = "cityscapes.json"
FILES = 2 * 6 + 2  # with the manifest and the record


def _flags(root: Path, layout: str = "cityscapes", *, seed: int = 0, **changes: float) -> list[str]:
    settings = json.dumps({**SMALL, **changes})
    return [
        *("--root", str(root / "cityscapes"), "--layout", layout),
        *("--seed", str(seed), "--settings", settings, "--workers", "1"),
    ]


def _render(root: Path, layout: str = "cityscapes", *, seed: int = 0, **changes: float) -> dict[str, Any]:
    main(_flags(root, layout, seed=seed, **changes))
    manifest: dict[str, Any] = json.loads((root / MANIFEST).read_text())
    return manifest


def _files(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file()}


def test_the_manifest_holds_settings_counts_and_shares(tmp_path: Path) -> None:
    manifest = _render(tmp_path)
    assert manifest["settings"] == {"seed": 0, "width": 64, "height": 32, "shift": 0.8}
    assert (manifest["layout"], manifest["images"]) == ("cityscapes", 4 + 2)
    shares = manifest["class_shares"]
    assert len(shares) == 20 and sum(shares.values()) == pytest.approx(1, abs=1e-4)
    assert len(_files(tmp_path)) == FILES


def test_the_same_settings_give_the_same_manifest_and_any_other_gives_another(tmp_path: Path) -> None:
    digest = _render(tmp_path / "a")["sha256"]
    assert _render(tmp_path / "b")["sha256"] == digest
    assert (tmp_path / "a" / MANIFEST).read_bytes() == (tmp_path / "b" / MANIFEST).read_bytes()
    for changes in ({"seed": 1}, {"shift": 0.5}, {"target_val": 3}):
        assert _render(tmp_path / "b", **changes)["sha256"] != digest  # type: ignore[arg-type]


def test_an_older_rendering_is_replaced_as_a_whole(tmp_path: Path) -> None:
    _render(tmp_path, target_train=9)
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


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"source": 0}, "--settings: source: input should be greater than or equal to 1, but got 0"),
        ({"seed": -1}, "Expected `seed` to be >= 0, but got -1"),
    ],
)
def test_a_mistake_ends_the_run_with_one_line_and_status_1(
    tmp_path: Path, changes: dict[str, int], message: str
) -> None:
    command = [sys.executable, "-m", "miniature", *_flags(tmp_path, "gta5", **changes)]  # type: ignore[arg-type]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert run.stderr == f"error: {message}\n"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"width": 31}, "width: .*greater than or equal to 32"),
        ({"height": 31}, "height: .*greater than or equal to 32"),
        ({"shift": -0.1}, "shift: .*greater than or equal to 0"),
        ({"target_train": 0}, "target_train: .*greater than or equal to 1"),
        ({"target_val": 0}, "target_val: .*greater than or equal to 1"),
        ({"widht": 64}, "widht"),
    ],
)
def test_a_wrong_setting_is_named(changes: dict[str, float], message: str) -> None:
    with pytest.raises(InputError, match=message):
        MiniatureSettings.from_json(json.dumps(changes))


@pytest.mark.parametrize("shift", ["NaN", "Infinity"])
def test_shift_is_finite(shift: str) -> None:
    with pytest.raises(InputError, match=r"shift: .*finite"):
        MiniatureSettings.from_json(f'{{"shift": {shift}}}')


def test_a_rendering_with_an_older_record_is_replaced(tmp_path: Path) -> None:
    _render(tmp_path)
    record = tmp_path / "cityscapes/.rendering.json"
    record.write_text(record.read_text().replace("images", "pictures"))
    _render(tmp_path, target_val=3)
    assert len(_files(tmp_path)) == FILES + 2


def test_every_layout_has_scenes() -> None:
    assert tuple(SCENES) == LAYOUTS


def test_wrong_settings_leave_an_older_rendering_alone(tmp_path: Path) -> None:
    _render(tmp_path)
    with pytest.raises(ValueError, match="shift"):
        _render(tmp_path, shift=-1)
    assert len(_files(tmp_path)) == FILES


def test_another_layout_in_the_same_folder_replaces_the_one_before(tmp_path: Path) -> None:
    _render(tmp_path)
    _render(tmp_path, "mapillary")
    folders = {path.name for path in (tmp_path / "cityscapes").iterdir() if path.is_dir()}
    assert folders == {"training", "validation"}
    _render(tmp_path)
    assert len(_files(tmp_path)) == FILES
