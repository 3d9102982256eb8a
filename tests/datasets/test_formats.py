"""Where the formats look: the official layouts, sorted, with every half pair."""

from pathlib import Path

import pytest

from esl.classes import CITYSCAPES_LABELS, GTA5_LABELS
from esl.datasets.formats import FORMATS, existing_root, format_named
from esl.errors import InputError


def _touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def _found(format_: str, root: Path, split: str) -> list[tuple[str, str | None, str | None]]:
    samples = FORMATS[format_].find(root, split)
    return [
        (s.id, *(path.relative_to(root).as_posix() if path else None for path in (s.picture, s.label))) for s in samples
    ]


def test_gta5_pairs_numbered_pictures_with_labels_in_order(tmp_path: Path) -> None:
    _touch(tmp_path, "images/00010.png", "labels/00010.png", "images/00002.png", "labels/00003.png")
    _touch(tmp_path, "images/readme.txt", "labels/00004.mat")
    assert _found("gta5", tmp_path, "all") == [
        ("00002", "images/00002.png", None),
        ("00003", None, "labels/00003.png"),
        ("00010", "images/00010.png", "labels/00010.png"),
    ]


def test_cityscapes_pairs_pictures_with_label_ids_over_the_cities_of_one_split(tmp_path: Path) -> None:
    for city, split in (("ulm", "train"), ("aachen", "train"), ("frankfurt", "val")):
        stem = f"{split}/{city}/{city}_000000_000019"
        _touch(tmp_path, f"leftImg8bit/{stem}_leftImg8bit.png", f"gtFine/{stem}_gtFine_labelIds.png")
        # what the official archive holds beside them
        others = ("color.png", "instanceIds.png", "labelTrainIds.png", "polygons.json")
        _touch(tmp_path, *(f"gtFine/{stem}_gtFine_{other}" for other in others))
    _touch(tmp_path, "leftImg8bit/train/ulm/ulm_000001_000019_leftImg8bit.png")
    _touch(tmp_path, "gtFine/train/bonn/bonn_000000_000019_gtFine_labelIds.png")

    def paths(city: str, number: int, split: str = "train") -> tuple[str, str]:
        stem = f"{split}/{city}/{city}_{number:06d}_000019"
        return f"leftImg8bit/{stem}_leftImg8bit.png", f"gtFine/{stem}_gtFine_labelIds.png"

    assert _found("cityscapes", tmp_path, "train") == [
        ("aachen_000000_000019", *paths("aachen", 0)),
        ("bonn_000000_000019", None, paths("bonn", 0)[1]),
        ("ulm_000000_000019", *paths("ulm", 0)),
        ("ulm_000001_000019", paths("ulm", 1)[0], None),
    ]
    assert _found("cityscapes", tmp_path, "val") == [("frankfurt_000000_000019", *paths("frankfurt", 0, "val"))]
    assert _found("cityscapes", tmp_path, "test") == []


@pytest.mark.parametrize(("folders", "read"), [(["LABELS", "CLASSES"], "LABELS"), (["CLASSES"], "CLASSES")])
def test_synthia_pairs_pictures_with_16_bit_labels_or_else_with_8_bit_ones(
    tmp_path: Path, folders: list[str], read: str
) -> None:
    _touch(tmp_path, "RGB/0000001.png", "RGB/0000002.png", "GT/COLOR/0000001.png")
    for folder in folders:
        _touch(tmp_path, f"GT/{folder}/0000001.png")
    assert _found("synthia", tmp_path, "all") == [
        ("0000001", "RGB/0000001.png", f"GT/{read}/0000001.png"),
        ("0000002", "RGB/0000002.png", None),
    ]


def test_each_format_knows_the_ids_of_its_labels_by_its_own_name() -> None:
    assert format_named("gta5").labels == GTA5_LABELS
    assert format_named("cityscapes").labels == CITYSCAPES_LABELS
    assert {name: format_.name for name, format_ in FORMATS.items()} == {name: name for name in FORMATS}


def test_an_unknown_format_and_a_missing_root_are_refused_with_the_mend(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="gta5, synthia, cityscapes, but got 'gta'"):
        format_named("gta")
    with pytest.raises(InputError, match=r"nowhere: no such folder; benchmarks\.x\.source\.root must be"):
        existing_root(tmp_path / "nowhere", "benchmarks.x.source")
    assert existing_root(tmp_path, "key") == tmp_path
