"""`verify` on a finished benchmark: it finds nothing wrong, and names each file that is damaged, edited or missing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import h5py
import pytest
import torch

from esl.errors import InputError
from esl.files import read_json, sha256_of_file, write_json
from esl.stages.verify import main
from tests.workflow.conftest import Project

Damage = Callable[[Path], None]


@pytest.fixture
def results(own: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The results of a finished benchmark, in the working folder."""
    monkeypatch.chdir(own.root)
    return Path("results/gta2city")


def flip(path: Path) -> None:
    """Changes one bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def digit(path: Path) -> None:
    """Changes the last digit of a JSON file."""
    text = path.read_text()
    at = max(place for place, letter in enumerate(text) if letter.isdigit())
    path.write_text(text[:at] + str((int(text[at]) + 1) % 10) + text[at + 1 :])


def threshold(path: Path) -> None:
    """What somebody does who wants more pseudo-labels of a class."""
    content = read_json(path)
    content["classes"]["road"]["threshold"] = 0.75
    write_json(path, content)


def consistent(path: Path) -> None:
    """A map that is changed so that its checksums still fit, as only a program can."""
    with h5py.File(path, "r+") as file:
        file["label"][0, 0, 0] = (file["label"][0, 0, 0] + 1) % 19


def swapped(path: Path) -> None:
    """The maps of another shard under this name."""
    shutil.copy(path.with_name("2-of-2.h5"), path)


def exchanged(path: Path) -> None:
    """The matrices of another model."""
    shutil.copy(path.parents[1] / "adapted" / path.name, path)


def retrained(path: Path) -> None:
    """Other weights in a whole checkpoint."""
    content = torch.load(path, weights_only=True)
    next(iter(content["weights"].values())).add_(1e-3)
    torch.save(content, path)


def foreign(path: Path) -> None:
    """Rows of labels that the class set does not call foreign."""
    content = read_json(path)
    write_json(path, content | {"foreign": {"truck": [1] * 19}})


def text(path: Path) -> None:
    path.write_text(path.read_text().replace("source", "sauce", 1))


def png(path: Path) -> None:
    """A pseudo-label and its digest, both edited."""
    manifest = path.with_suffix(".json")
    content = read_json(manifest)
    id_ = next(iter(content["files"]))
    flip(path / f"{id_}.png")
    content["files"][id_]["sha256"] = sha256_of_file(path / f"{id_}.png")
    write_json(manifest, content)


def test_a_finished_benchmark_has_nothing_wrong(results: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main([str(results), "--data"])
    said = capsys.readouterr().err
    assert said.endswith("results/gta2city: 5 models and 3 rounds, every file fits what made it\n")


DAMAGES: list[tuple[str, Damage, str]] = [
    ("adapted/maps/1-of-2.h5", flip, "adapted/maps/1-of-2.h5: "),
    ("adapted/maps/1-of-2.h5", consistent, "adapted/maps/1-of-2.h5: the histogram of entropy does not count"),
    ("adapted/maps/1-of-2.h5", swapped, "adapted/maps/1-of-2.h5: maps of other images than the index has"),
    ("esl-round1/pseudo_labels", png, "esl-round1/pseudo_labels.json: is not what its inputs give"),
    ("esl-round1/pseudo_labels.json", digit, "esl-round1/pseudo_labels.json"),
    ("bdl-round1/checkpoint.pt", flip, "bdl-round1/checkpoint.pt"),
    ("bdl-round1/checkpoint.pt", retrained, "the scores of another checkpoint than results/gta2city/bdl-round1"),
    ("adapted/checkpoint.pt", retrained, "adapted/maps/1-of-2.h5: maps of another checkpoint"),
    ("esl-round1/thresholds.json", threshold, "esl-round1/thresholds.json: is not what its inputs give"),
    ("esl-round1/thresholds.json", digit, "esl-round1/thresholds.json: is not what its inputs give"),
    ("bdl-round1/gate.json", digit, "bdl-round1/gate.json: is not what its inputs give"),
    ("bdl-round1/miou.json", digit, "bdl-round1/miou.json: the scores of another checkpoint"),
    ("esl-round1/miou.json", foreign, "esl-round1/miou.json: does not follow from its confusion matrix"),
    ("esl-round1/confusions.npz", flip, "esl-round1/confusions.npz: "),
    ("esl-round1/confusions.npz", exchanged, "esl-round1/confusions.npz: does not add up to the confusion matrix"),
    ("bdl-round1/confusions.npz", Path.unlink, "bdl-round1/confusions.npz: missing; make it again: snakemake"),
    ("control-round1/miou.json", Path.unlink, "control-round1/miou.json: missing; make it again: snakemake"),
    ("esl-round1/checkpoint.pt", Path.unlink, "esl-round1/checkpoint.pt: missing; make it again: snakemake"),
    ("data/target_train.json", digit, "data/target_train.json: edited or damaged since it was written"),
    ("data/source.json", flip, "data/source.json: "),
    ("miou.json", digit, "gta2city/miou.json: is not what its inputs give"),
    ("miou.txt", text, "gta2city/miou.txt: is not the table of"),
]


def test_several_damaged_edited_or_missing_files_are_all_named(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One of each kind that does not hide another."""
    chosen = [
        case
        for case in DAMAGES
        if (case[0], case[1])
        in [
            ("adapted/maps/1-of-2.h5", consistent),
            ("bdl-round1/checkpoint.pt", retrained),
            ("bdl-round1/gate.json", digit),
            ("esl-round1/thresholds.json", threshold),
            ("control-round1/miou.json", Path.unlink),
        ]
    ]
    assert len(chosen) == 5
    for file, damage, _ in chosen:
        damage(results / file)
    with pytest.raises(InputError, match=r"results/gta2city: \d+ of its files do not fit, see above"):
        main([str(results)])
    said = capsys.readouterr().err
    assert [named for _, _, named in chosen if named not in said] == []


@pytest.mark.slow
@pytest.mark.parametrize(("file", "damage", "named"), DAMAGES)
def test_each_damaged_edited_or_missing_file_is_named(
    results: Path, capsys: pytest.CaptureFixture[str], file: str, damage: Damage, named: str
) -> None:
    damage(results / file)
    with pytest.raises(InputError, match=r"results/gta2city: \d+ of its files do not fit, see above"):
        main([str(results)])
    assert named in capsys.readouterr().err


def test_an_image_that_changed_is_named_when_the_data_are_read(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    index = json.loads((results / "data/source.json").read_text())
    image = Path(index["root"]) / index["samples"][0]["image"]
    flip(image)
    main([str(results)])
    with pytest.raises(InputError):
        main([str(results), "--data"])
    assert f"{image}: changed since results/gta2city/data/source.json was made" in capsys.readouterr().err
