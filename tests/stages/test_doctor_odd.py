"""The doctor before nearly fitting folders: one line about their content, and the right exit status."""

from collections.abc import Callable
from pathlib import Path

import pytest

from esl.errors import InputError
from esl.stages.doctor import main
from tests.data.dataset_files import image_file, label_file, label_of

Doctor = Callable[..., tuple[int, str]]


@pytest.mark.parametrize(
    ("images", "near"),
    [
        ("images/{n}.jpg", "images/1.JPG: nearly fits images/{n}.jpg"),
        ("Images", "images: nearly fits Images"),
        ("{split}/{n}.png", "images/1.JPG: nearly fits */{n}.png"),
    ],
)
def test_a_pattern_that_fits_nothing_is_an_error_that_names_near_misses(tmp_path: Path, images: str, near: str) -> None:
    image_file(tmp_path / "root/images/1.JPG")
    (tmp_path / "own.yaml").write_text(f"datasets: {{camera: {{images: '{images}'}}}}\n")
    with pytest.raises(InputError) as caught:
        main(["--root", str(tmp_path / "root"), "--dataset", "camera", "--configfile", str(tmp_path / "own.yaml")])
    assert "no samples of camera" in str(caught.value) and f"{tmp_path}/root/{near}" in str(caught.value)


@pytest.mark.parametrize(
    ("images", "line"),
    [
        ("images/{n}.png", "root/images holds a, b, c, d, e and 2 more, but expected {n}.png in it"),
        ("images/{split}/day/{n}.png", "root/images/a is empty, but expected day in it"),
        ("frames", "root holds images, but expected frames in it"),
        ("{split}/*/{n}/x.png", "root/images/a is empty, but expected {n} in it"),
    ],
)
def test_a_pattern_that_fits_nothing_says_where_it_ends_and_what_is_there(
    tmp_path: Path, images: str, line: str
) -> None:
    for name in "abcdefg":
        (tmp_path / f"root/images/{name}").mkdir(parents=True)
    (tmp_path / "own.yaml").write_text(f"datasets: {{camera: {{images: '{images}'}}}}\n")
    with pytest.raises(InputError) as caught:
        main(["--root", str(tmp_path / "root"), "--dataset", "camera", "--configfile", str(tmp_path / "own.yaml")])
    assert str(caught.value).splitlines()[1:] == [f"  {tmp_path}/{line}"]


def test_a_pattern_of_labels_that_fits_nothing_says_what_is_there(tmp_path: Path, doctor: Doctor) -> None:
    (tmp_path / "own.yaml").write_text(
        "datasets: {camera: {images: 'shots/{n}.png', labels: [{files: 'masks/{n}_mask.png', ids: gta5}]}}\n"
    )
    flags = ("--root", tmp_path / "root", "--dataset", "camera", "--configfile", tmp_path / "own.yaml")
    image_file(tmp_path / "root/shots/1.png")
    status, report = doctor(*flags)
    assert status == 0 and "1 sound, 0 of them labelled" in report and "note" not in report  # none were expected, maybe
    label_file(tmp_path / "root/masks/1.png", label_of([7]))
    status, report = doctor(*flags)
    assert status == 0 and f"note       {tmp_path}/root/masks holds 1.png, but expected {{n}}_mask.png in it" in report


def test_images_of_another_ending_than_the_formats_are_named_next_to_the_labels_they_miss(
    tmp_path: Path, doctor: Doctor
) -> None:
    for number, ending in enumerate(("jpg", "JPG", "JPG")):
        image_file(tmp_path / f"images/10k/train/{number:04d}.{ending}")
        label_file(tmp_path / f"labels/sem_seg/masks/train/{number:04d}.png", label_of([0, 1]))
    status, report = doctor("--root", tmp_path)
    assert status == 1 and "read as 'bdd100k'" in report and "1 sound, 1 of them labelled" in report
    assert "masks/train/0001.png: a label without its image" in report
    assert f"{tmp_path}/images/10k/train/0001.JPG and 1 more: nearly fits images/10k/train/{{frame}}.jpg" in report


def test_a_folder_of_photographs_that_are_not_read_says_so(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"IMG_{number}.HEIC").touch()
    with pytest.raises(InputError, match=r"no image of a supported kind, but 3 \.heic: convert them to PNG or JPEG; "):
        main(["--root", str(tmp_path)])


def test_a_split_with_labels_but_no_images_is_mentioned(tmp_path: Path, doctor: Doctor) -> None:
    frame = "ulm/ulm_000000_000019"
    image_file(tmp_path / f"leftImg8bit/train/{frame}_leftImg8bit.png")
    for split in ("train", "val"):
        label_file(tmp_path / f"gtFine/{split}/{frame}_gtFine_labelIds.png", label_of([7]))
    status, report = doctor("--root", tmp_path)
    assert status == 0
    assert f"{tmp_path}: split 'val' of 'cityscapes' has labels but no images; expected leftImg8bit/val/" in report
    assert "split 'train' of" not in report
    assert "has labels but no images" not in doctor("--root", tmp_path, "--split", "train")[1]


def test_notes_are_reported_without_being_defects(tmp_path: Path, doctor: Doctor) -> None:
    image_file(tmp_path / "a.png")
    (tmp_path / "b.heic").touch()
    status, report = doctor("--root", tmp_path)
    assert status == 0 and f"  note       {tmp_path}: not read: 1 .heic; convert" in report


def test_a_folder_of_labels_that_is_taken_for_images_is_mentioned(tmp_path: Path, doctor: Doctor) -> None:
    for name in ("a", "b"):
        image_file(tmp_path / f"JPEGImages/{name}.jpg")
        label_file(tmp_path / f"SegmentationClass/{name}.png", label_of([1]))
    status, report = doctor("--root", tmp_path)
    assert status == 0 and report.count("note") == 1
    assert "'JPEGImages' and 'SegmentationClass' hold images of the same names; if one of them holds labels" in report
    image_file(tmp_path / "JPEGImages/c.jpg")
    assert "note" not in doctor("--root", tmp_path)[1]
