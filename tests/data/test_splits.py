"""List files: the samples of a text file, in any format; every wrong line is named by its number."""

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named, format_names
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.data.splits import listing_of
from esl.errors import InputError

IMAGE = np.zeros((4, 6, 3), np.uint8)


def _save(path: Path, array: NDArray[np.uint8]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def _index(name: str, root: Path, split: str, labels: str = "required") -> Index:
    checks = Checks(labels=labels)
    return inspect(name, format_named(name), root, split, CLASS_SETS["cityscapes19"], checks).sound_index()


def _frame(root: Path, split: str, id_: str, kind: str = "gtFine", ids: str = "labelIds") -> None:
    stem = f"{split}/{id_.partition('_')[0]}/{id_}"
    _save(root / f"leftImg8bit/{stem}_leftImg8bit.png", IMAGE)
    _save(root / f"{kind}/{stem}_{kind}_{ids}.png", np.full((4, 6), 7 if ids == "labelIds" else 0, np.uint8))


@pytest.fixture
def cityscapes(tmp_path: Path) -> Path:
    """Two splits of three frames each."""
    for split, city in (("train", "ulm"), ("val", "bonn")):
        for number in range(3):
            _frame(tmp_path, split, f"{city}_{number:06d}_000019")
    return tmp_path


def test_a_list_names_samples_of_all_splits_by_id_or_path_and_gives_them_sorted(cityscapes: Path) -> None:
    (cityscapes / "lists").mkdir()
    (cityscapes / "lists/mine.txt").write_text(
        "# half of it\n"
        "ulm_000002_000019\n"
        "\n"
        "leftImg8bit/train/ulm/ulm_000000_000019_leftImg8bit.png\n"  # from the root
        "./leftImg8bit/val/bonn/bonn_000000_000019_leftImg8bit.png  \n"
        "bonn/bonn_000002_000019_leftImg8bit.png\n"  # as lists of the field have it: from a folder below
    )
    index = _index("cityscapes", cityscapes, "lists/mine.txt")
    expected = ["bonn_000000_000019", "bonn_000002_000019", "ulm_000000_000019", "ulm_000002_000019"]
    assert [sample.id for sample in index.samples] == expected
    assert (index.split, index.label_files) == ("lists/mine.txt", "gtFine/*/*/{frame}_gtFine_labelIds.png")
    whole = {
        sample.id: sample for split in ("train", "val") for sample in _index("cityscapes", cityscapes, split).samples
    }
    assert index.samples == [whole[id_] for id_ in expected]


def test_a_list_may_be_relative_to_the_working_folder_but_the_root_comes_first(
    cityscapes: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    Path("mine.txt").write_text("ulm_000001_000019\n")
    assert [s.id for s in _index("cityscapes", cityscapes, "mine.txt").samples] == ["ulm_000001_000019"]
    (cityscapes / "mine.txt").write_text("bonn_000001_000019\n")
    assert [s.id for s in _index("cityscapes", cityscapes, "mine.txt").samples] == ["bonn_000001_000019"]


def test_every_wrong_line_is_reported_at_once_by_its_number(cityscapes: Path) -> None:
    _save(cityscapes / "leftImg8bit/train/aachen/twice_leftImg8bit.png", IMAGE)
    _save(cityscapes / "leftImg8bit/val/aachen/twice_leftImg8bit.png", IMAGE)
    (cityscapes / "bad.txt").write_text(
        "ulm_000000_000019\nulm_000009_000019\n\n../ulm_000001_000019\n/etc/passwd\nulm/ulm_000000_000019_leftImg8bit.png\n"
        "aachen/twice_leftImg8bit.png\n"
    )
    with pytest.raises(InputError) as caught:
        _index("cityscapes", cityscapes, "bad.txt")
    head, *lines = str(caught.value).splitlines()
    assert head.endswith("bad.txt: 5 mistake(s)")
    for line, start in zip(
        lines,
        [
            "line 2: 'ulm_000009_000019': no such image under ",
            "line 4: '../ulm_000001_000019': expected an id, or a path below the root",
            "line 5: '/etc/passwd': expected an id, or a path below the root",
            "line 6: 'ulm/ulm_000000_000019_leftImg8bit.png': the same image as in line 1",
            "line 7: 'aachen/twice_leftImg8bit.png': names several images: ",
        ],
        strict=True,
    ):
        assert line.strip().startswith(start)


@pytest.mark.parametrize(
    ("split", "ids"),
    [
        ("ulm_* bonn_000001_*", ["bonn_000001", "ulm_000000", "ulm_000001", "ulm_000002"]),
        ("* !ulm_* !*_000002_*", ["bonn_000000", "bonn_000001"]),
        ("* !ulm_* ulm_000001_*", ["bonn_000000", "bonn_000001", "bonn_000002", "ulm_000001"]),
        (
            "leftImg8bit/val/*/* ulm/*",
            ["bonn_000000", "bonn_000001", "bonn_000002", *(f"ulm_00000{n}" for n in range(3))],
        ),
        ("*_00000[02]_* !bonn_000000_000019", ["bonn_000002", "ulm_000000", "ulm_000002"]),
        ("*_000001_* bonn_* !b*", ["ulm_000001"]),
    ],
)
def test_patterns_name_samples_of_all_splits_in_the_config_and_in_a_list_file(
    cityscapes: Path, split: str, ids: list[str]
) -> None:
    lines = "\r\n".join(split.split())
    (cityscapes / "list.txt").write_text(f"\N{BOM}{lines}\r\n", encoding="utf-8")  # as Windows' editors write it
    index = _index("cityscapes", cityscapes, split)
    assert [sample.id.removesuffix("_000019") for sample in index.samples] == ids
    assert index.samples == _index("cityscapes", cityscapes, "list.txt").samples
    assert index.label_files == "gtFine/*/*/{frame}_gtFine_labelIds.png"


def test_a_pattern_that_fits_nothing_takes_out_nothing_or_leaves_the_root_is_a_mistake(cityscapes: Path) -> None:
    with pytest.raises(InputError) as caught:
        _index("cityscapes", cityscapes, "ulm_* Ulm_* !bonn_* ../* /etc/* */ulm_* ulm_000000_000019")
    head, *lines = str(caught.value).splitlines()
    assert head.startswith("split 'ulm_* Ulm_* ") and head.endswith("': 5 mistake(s)")
    for line, start in zip(
        lines,
        [
            "pattern 2: 'Ulm_*': no such image under ",
            "pattern 3: '!bonn_*': takes out no image of the entries before it",
            "pattern 4: '../*': expected an id, or a path below the root",
            "pattern 5: '/etc/*': expected an id, or a path below the root",
            "pattern 7: 'ulm_000000_000019': the same image as in pattern 1; remove one",
        ],
        strict=True,
    ):
        assert line.strip().startswith(start)
    with pytest.raises(InputError, match=r"1 mistake.*\n.*it names no image"):
        _index("cityscapes", cityscapes, "ulm_* !*")


def test_a_pattern_never_takes_one_of_two_images_of_one_id(cityscapes: Path) -> None:
    for split in ("train", "val"):
        _save(cityscapes / f"leftImg8bit/{split}/aachen/twice_leftImg8bit.png", IMAGE)
    for patterns in ("*", "train/aachen/* val/aachen/*"):
        with pytest.raises(InputError, match=r"names several images: .*train/aachen/twice.*, .*val/aachen/twice"):
            _index("cityscapes", cityscapes, patterns)
    assert [s.id for s in _index("cityscapes", cityscapes, "train/aachen/*", labels="optional").samples] == ["twice"]


@pytest.mark.parametrize(
    ("split", "content", "message"),
    [
        ("none.txt", None, "split 'none.txt': no such list file, neither in .* nor in the working folder"),
        ("../list.txt", None, "expected the path of a list file below the root, without .."),
        ("/list.txt", None, "expected the path of a list file below the root, without .."),
        ("empty.txt", b"# nothing\n\n", "empty.txt: .*\n.*it names no image"),
        ("binary.txt", b"\xff\xfe\x00", "binary.txt: expected text in UTF-8"),
    ],
)
def test_a_list_that_is_missing_empty_or_outside_the_root_is_refused(
    cityscapes: Path, split: str, content: bytes | None, message: str
) -> None:
    if content is not None:
        (cityscapes / split).write_bytes(content)
    with pytest.raises(InputError, match=message):
        _index("cityscapes", cityscapes, split)


def test_labels_of_one_meaning_may_come_from_several_kinds_of_files_and_others_may_not(cityscapes: Path) -> None:
    _frame(cityscapes, "train_extra", "bayreuth_000000_000019", kind="gtCoarse")
    (cityscapes / "both.txt").write_text("ulm_000000_000019\nbayreuth_000000_000019\n")
    index = _index("cityscapes", cityscapes, "both.txt")
    assert [sample.label is not None for sample in index.samples] == [True, True]
    assert index.label_files == ("gtFine/*/*/{frame}_gtFine_labelIds.png or gtCoarse/*/*/{frame}_gtCoarse_labelIds.png")
    _frame(cityscapes, "extra", "bochum_000000_000019", ids="labelTrainIds")
    (cityscapes / "mixed.txt").write_text("ulm_000000_000019\nbochum_000000_000019\n")
    with pytest.raises(InputError, match=r"mixed\.txt: names images with labels of different ids"):
        _index("cityscapes", cityscapes, "mixed.txt")


def test_a_list_works_for_datasets_without_splits_with_lists_of_their_own_and_for_folders(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        _save(tmp_path / f"gta5/images/{number:05d}.png", IMAGE)
        _save(tmp_path / f"gta5/labels/{number:05d}.png", np.full((4, 6), 7, np.uint8))
        _save(tmp_path / f"photos/day{number}/a.jpg", IMAGE)
    (tmp_path / "gta5/train.txt").write_text("00001\n00002.png\n")  # a part of GTA5, and a list file
    index = _index("gta5", tmp_path / "gta5", "train.txt")
    assert [sample.id for sample in index.samples] == ["00001", "00002"]
    assert index.samples == _index("gta5", tmp_path / "gta5", "train").samples
    (tmp_path / "photos/some.txt").write_text("day3/a.jpg\nday1__a\n")
    index = _index("folder", tmp_path / "photos", "some.txt", labels="optional")
    assert [sample.id for sample in index.samples] == ["day1__a", "day3__a"]


@pytest.mark.parametrize("name", format_names())
def test_a_list_file_of_an_empty_root_names_no_image(tmp_path: Path, name: str) -> None:
    (tmp_path / "list.txt").write_text("a\n")
    with pytest.raises(InputError, match=r"list\.txt: 1 mistake\(s\)\n  line 1: 'a': no such image"):
        listing_of(format_named(name), tmp_path, "list.txt")


def test_labels_of_a_listed_split_read_as_those_of_the_split(cityscapes: Path) -> None:
    (cityscapes / "one.txt").write_text("ulm_000000_000019\n")
    index = _index("cityscapes", cityscapes, "one.txt")
    assert set(index.read_label(index.samples[0]).ravel().tolist()) == {0} != {IGNORE}
