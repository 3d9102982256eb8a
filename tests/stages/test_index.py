"""The index stage: from settings to a self-contained index, with a record of the files next to it."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import ClassSet
from esl.data.changes import record_of, state
from esl.data.class_sets import CLASS_SETS, build_class_set
from esl.data.formats.base import require_root
from esl.data.formats.build import declaration, format_named
from esl.data.index import read_index
from esl.data.settings import IndexSettings
from esl.errors import InputError
from esl.stages.index import main


def _save(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def _settings(root: Path, **changed: Any) -> IndexSettings:
    values = {"dataset": "gta5", "split": "all", "class_set": CLASS_SETS["cityscapes19"], "root": str(root)}
    return IndexSettings(**{**values, **changed})


def _gta5(root: Path) -> Path:
    for number in (1, 2):
        _save(root / f"images/{number:05d}.png", np.full((4, 6, 3), number, np.uint8))
        _save(root / f"labels/{number:05d}.png", np.full((4, 6), 7, np.uint8))
    return root


def test_a_declared_dataset_and_class_set_end_in_an_index_that_needs_neither(tmp_path: Path) -> None:
    _save(tmp_path / "shots/a.jpg", np.zeros((2, 2, 3), np.uint8))
    _save(tmp_path / "masks/a.png", np.array([[[9, 9, 9], [1, 2, 3]]] * 2, np.uint8))
    colours = {"free": [9, 9, 9], "blocked": [1, 2, 3]}
    declared = {"images": "shots", "labels": [{"files": "masks", "colours": colours}]}
    classes = build_class_set("two", {"blocked": {}, "free": {"colour": [0, 255, 0]}})
    settings = _settings(tmp_path, dataset="mine", declaration=declared, class_set=classes)
    output = tmp_path / "index.json"
    main(["--settings", settings.canonical(), "--output", str(output), "--workers", "1"])
    index = read_index(output)
    assert (index.class_set.name, index.class_set.classes) == ("two", ("blocked", "free"))
    assert index.class_set.colours[1] == (0, 255, 0)
    assert index.read_label(index.samples[0]).tolist() == [[1, 0], [1, 0]]
    assert json.loads(output.read_text())["class_pixels"] == {"blocked": 2, "free": 2}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{nope", "--settings: "),
        ("[1]", "--settings: "),
        ('{"declaration": [1]}', "declaration: "),
        ('{"class_set": "cityscapes19"}', "class_set: "),
        ('{"colour": 1}', "colour: "),
    ],
)
def test_settings_that_are_no_json_object_or_hold_a_wrong_value_are_refused_by_key(
    tmp_path: Path, text: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        main(["--settings", text, "--output", str(tmp_path / "index.json")])


@pytest.mark.parametrize("class_set", [*CLASS_SETS.values(), build_class_set("own", {"b": {}, "a": {}})])
def test_settings_keep_the_order_of_the_classes(tmp_path: Path, class_set: ClassSet) -> None:
    settings = _settings(tmp_path, dataset="idd", declaration=declaration("idd"), class_set=class_set)
    read = IndexSettings.from_json(settings.canonical())
    assert read.class_set == class_set
    assert read.canonical() == settings.canonical()
    assert format_named("idd", read.declaration) == format_named("idd")


def test_the_token_and_the_files_are_recorded_next_to_the_index_which_holds_no_date(tmp_path: Path) -> None:
    root = _gta5(tmp_path / "gta5")
    outputs = [tmp_path / name / "source.json" for name in ("first", "second")]
    for output in outputs:
        main(
            [
                "--settings",
                _settings(root).canonical(),
                "--token",
                "T 1",
                "--image-token",
                "I",
                "--output",
                str(output),
                "--workers",
                "1",
            ]
        )
    assert outputs[0].read_bytes() == outputs[1].read_bytes()
    record = json.loads((tmp_path / "first/source.files.json").read_text())
    assert (record["token"], record["image_token"]) == ("T 1", "I")
    names = [*record["images"], *record["files"]]
    assert names == [f"{kind}/0000{n}.png" for kind in ("images", "labels") for n in (1, 2)]
    samples = json.loads(outputs[0].read_text())["samples"]
    assert record["files"]["labels/00002.png"][2] == samples[1]["label_sha256"]
    assert state(root, format_named("gta5"), "all", record_of(outputs[0])) == ("T 1", "I")


def test_a_folder_that_is_missing_is_refused_with_the_key_that_names_it(tmp_path: Path) -> None:
    settings = _settings(tmp_path / "none", key="benchmarks.x.source.root")
    with pytest.raises(InputError, match=r"none: no such folder; benchmarks\.x\.source\.root must be the folder"):
        main(["--settings", settings.canonical(), "--output", str(tmp_path / "index.json")])


def test_defects_leave_neither_an_index_nor_a_record(tmp_path: Path) -> None:
    root = _gta5(tmp_path / "gta5")
    (root / "labels/00002.png").unlink()
    output = tmp_path / "source.json"
    with pytest.raises(InputError, match=r"1 defect.*\n.*00002\.png: an image without its label"):
        main(["--settings", _settings(root).canonical(), "--output", str(output), "--workers", "1"])
    assert not output.exists() and not record_of(output).exists()


@pytest.mark.parametrize("defect", ["no label", "not listed", "no root"])
def test_a_failed_index_says_how_to_keep_what_was_trained(tmp_path: Path, defect: str) -> None:
    root = _gta5(tmp_path / "gta5")
    (root / "labels/00002.png").unlink()
    output = tmp_path / "source.json"
    root = tmp_path / "none" if defect == "no root" else root
    settings = _settings(root, split="val" if defect == "not listed" else "all")
    with pytest.raises(InputError) as raised:
        main(["--settings", settings.canonical(), "--output", str(output), "--workers", "1"])
    *_, last = str(raised.value).splitlines()
    assert f"run `snakemake --cores 1 {output}` by itself first" in last


def test_notes_are_printed_but_leave_the_index_sound(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    (tmp_path / "b.HEIC").touch()
    settings = _settings(tmp_path, dataset="folder", labels="optional")
    main(["--settings", settings.canonical(), "--output", str(tmp_path / "index.json"), "--workers", "1"])
    said = capsys.readouterr().err.splitlines()
    assert f"note: {tmp_path}: not read: 1 .heic; convert them to PNG or JPEG if they are to be used" in said
    assert said[-1] == f"{tmp_path}: 1 images, 0 of them labelled, no defects"


def test_a_folder_whose_name_is_not_utf_8_is_refused_in_a_line_that_can_be_printed(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9"))
    root.mkdir()
    with pytest.raises(InputError, match=r"caf\\udce9: the name of --root is not in UTF-8; rename the folder"):
        require_root(root, "--root")


def test_a_link_to_nothing_is_a_defect_like_any_other(tmp_path: Path) -> None:
    root = _gta5(tmp_path / "gta5")
    (root / "labels/00002.png").unlink()
    (root / "labels/00002.png").symlink_to(tmp_path / "nowhere.png")
    output = tmp_path / "source.json"
    assert len(state(root, format_named("gta5"), "all", record_of(output)).files) == 64
    with pytest.raises(InputError, match=r"1 defect.*\n.*labels/00002\.png: a broken link to .*nowhere\.png; fetch"):
        main(["--settings", _settings(root).canonical(), "--output", str(output), "--workers", "1"])
