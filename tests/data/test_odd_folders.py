"""Folders as people have them: links, thumbnails, unsupported kinds, reports, and pairs of files."""

import os
import unicodedata
from pathlib import Path

import pytest

from esl.data.changes import state
from esl.data.formats import folders
from esl.data.formats.build import format_named
from esl.data.formats.declared import build_declared_format
from esl.data.formats.label_names import unknown_names
from esl.data.images import read_bytes
from esl.data.index import LONGEST_ID
from esl.data.inspection import Inspection, inspect
from esl.data.settings import Checks
from esl.data.splits import listing_of
from esl.errors import InputError
from tests.data.dataset_files import CITYSCAPES19, image_file, label_file, label_of

OPTIONAL = Checks(labels="optional")


def _folder(root: Path) -> Inspection:
    return inspect("folder", format_named("folder"), root, "all", CITYSCAPES19, OPTIONAL)


def _own(root: Path, declaration: dict[str, object], split: str = "all") -> Inspection:
    return inspect("mine", format_named("mine", declaration), root, split, CITYSCAPES19, Checks())


def _ids(inspection: Inspection) -> list[str]:
    return [sample.id for sample in inspection.index.samples]


# ---------------------------------------------------------------------------------------------------------------- links


def test_links_to_images_and_folders_are_followed_and_circles_end(tmp_path: Path) -> None:
    image_file(tmp_path / "store/a.png")
    image_file(tmp_path / "store/deep/b.png")
    root = tmp_path / "root"
    (root / "day").mkdir(parents=True)
    (root / "c.png").symlink_to(tmp_path / "store/a.png")
    (root / "linked").symlink_to(tmp_path / "store")
    (root / "day/up").symlink_to(root)
    inspection = _folder(root)
    assert (_ids(inspection), inspection.defects) == (["c", "linked__a", "linked__deep__b"], [])


def test_a_link_to_nothing_and_a_folder_named_like_an_image_are_defects(tmp_path: Path) -> None:
    image_file(tmp_path / "images/00001.png")
    (tmp_path / "images/00002.png").symlink_to(tmp_path / ".git/annex/objects/x.png")
    (tmp_path / "images/00003.png").mkdir()
    (tmp_path / "images/00004.png").symlink_to(tmp_path / "images/00004.png")
    os.mkfifo(tmp_path / "images/00005.png")
    gta5 = inspect("gta5", format_named("gta5"), tmp_path, "all", CITYSCAPES19, OPTIONAL)
    assert _ids(gta5) == ["00001"]
    expected = (
        (2, f"a broken link to {tmp_path}/.git/annex/objects/x.png; fetch that file, or remove the link"),
        (3, "a folder or device where a file was expected"),
        (4, "cannot be read (Too many levels of symbolic links)"),
        (5, "a folder or device where a file was expected"),
    )
    assert len(gta5.defects) == len(expected)
    for defect, (number, start) in zip(gta5.defects, expected, strict=True):
        assert defect.startswith(f"{tmp_path}/images/{number:05d}.png: {start}")


def test_a_folder_that_cannot_be_listed_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image_file(tmp_path / "open/a.png")
    image_file(tmp_path / "closed/b.png")
    scandir = os.scandir

    def refuse(folder: Path) -> object:
        if Path(folder).name == "closed":
            raise PermissionError(13, "Permission denied")
        return scandir(folder)

    monkeypatch.setattr(folders.os, "scandir", refuse)  # the superuser, as whom tests may run, may list any folder
    for format_ in (format_named("folder"), format_named("mine", {"images": "{part}/{n}.png"})):
        with pytest.raises(InputError, match=r"closed: cannot be listed \(Permission denied\).*make it readable"):
            format_.listing(tmp_path, "all")
    assert state(tmp_path, format_named("folder"), "all", tmp_path / "none.json").files.startswith("unlisted: ")


def test_a_link_to_a_folder_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    image_file(tmp_path / "here/a.png")
    (tmp_path / "notes.txt").symlink_to(tmp_path / "nowhere")  # the name of a file: no folder of images
    formats = [format_named("folder"), format_named("mine", {"images": "{part}/{n}.png"})]
    for format_ in formats:
        assert len(format_.listing(tmp_path, "all").samples) == 1
    (tmp_path / "day").symlink_to("/mnt/disk/day")
    for format_ in formats:
        with pytest.raises(InputError, match=r"day: a broken link to /mnt/disk/day: .*mount or fetch it"):
            format_.listing(tmp_path, "all")
    (tmp_path / "day").rename(tmp_path / "v1.2")  # a number is no ending
    with pytest.raises(InputError, match=r"v1\.2: a broken link to /mnt/disk/day: its images"):
        formats[0].listing(tmp_path, "all")
    (tmp_path / "v1.2").unlink()
    (tmp_path / "self").symlink_to(tmp_path / "self")
    with pytest.raises(InputError, match=r"self: cannot be listed \(Too many levels of symbolic links\)"):
        format_named("folder").listing(tmp_path, "all")


def test_a_file_that_must_not_be_read_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = image_file(tmp_path / "a.png")

    def refuse(self: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(InputError, match=r"a\.png: cannot be read \(Permission denied\)"):
        read_bytes(path)


# ------------------------------------------------------------------------------------------ passed over, and counted


def test_thumbnails_of_storage_devices_are_passed_over_and_kinds_that_are_not_read_are_counted(tmp_path: Path) -> None:
    for name in ("IMG_0", "@eaDir/IMG_0.jpg/THUMB", "__MACOSX/._IMG_0", "day/@eaDir/x", "#recycle/y"):
        image_file(tmp_path / f"{name}.jpg")
    for name in ("IMG_1.HEIC", "IMG_2.heic", "scan.jp2", "Thumbs.db", "clip.mp4", ".hidden.heic"):
        (tmp_path / name).touch()
    inspection = _folder(tmp_path)
    assert (_ids(inspection), inspection.defects) == (["IMG_0"], [])
    assert inspection.notes == [
        f"{tmp_path}: not read: 2 .heic, 1 .jp2; convert them to PNG or JPEG if they are to be used"
    ]
    assert format_named("folder").splits(tmp_path) == ["all"]
    assert format_named("mine", {"images": "{folder}/{n}.jpg"}).splits(tmp_path) == []


# ---------------------------------------------------------------------------------------------------------------- names


def test_an_image_and_its_label_are_paired_whatever_unicode_form_their_names_have(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
    assert composed != decomposed
    image_file(tmp_path / f"shots/{decomposed}.png")
    label_file(tmp_path / f"masks/{composed}.png", label_of([1]))
    declaration: dict[str, object] = {"images": "shots", "labels": [{"files": "masks", "ids": {1: "road"}}]}
    inspection = _own(tmp_path, declaration)
    assert (_ids(inspection), inspection.defects) == ([decomposed], [])
    image_file(tmp_path / f"shots/{composed}.png")
    (defect,) = _own(tmp_path, declaration).defects
    assert "(in another Unicode form); results are named by ids" in defect


def test_a_name_that_is_not_utf_8_is_a_defect_that_can_be_printed(tmp_path: Path) -> None:
    image_file(tmp_path / "a.png")
    for name in (b"caf\xe9.png", b"caf\xe9/b.png"):
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes((tmp_path / "a.png").read_bytes())
    inspection = _folder(tmp_path)
    assert _ids(inspection) == ["a"]
    assert [defect.partition(": ")[2] for defect in inspection.defects] == [
        "its name is not in UTF-8; rename it (convmv does whole folders)"
    ] * 2
    assert "\\udce9.png" in "".join(inspection.defects) and "".join(inspection.defects).isprintable()
    assert len(state(tmp_path, format_named("folder"), "all", tmp_path / "none.json").files) == 64


def test_an_id_that_is_too_long_for_a_file_of_results_is_a_defect(tmp_path: Path) -> None:
    image_file(tmp_path / f"{'a' * LONGEST_ID}.png")
    image_file(tmp_path / f"{'ü' * 60}/{'b' * 100}.png")
    image_file(tmp_path / f"{'d' * 120}/{'e' * 120}.png")
    inspection = _folder(tmp_path)
    assert len(inspection.index.samples) == 1
    assert [": sample id of 162 characters: expected 220 bytes" in each for each in inspection.defects] == [False, True]


# --------------------------------------------------------------------------------------------------------- near misses


def test_files_that_nearly_fit_a_pattern_are_named_where_others_are_missing(tmp_path: Path) -> None:
    labels = {"files": "labels/{n}.png", "ids": {1: "road"}}
    declaration: dict[str, object] = {"images": "images/{n}.jpg", "labels": [labels]}
    for number in range(3):
        image_file(tmp_path / f"images/{number}.JPG")
        label_file(tmp_path / f"labels/{number}.tif", label_of([1]))
    near = "and 2 more: nearly fits images/{n}.jpg, but for its ending or the case of a letter; rename it, or correct"
    with pytest.raises(InputError) as caught:
        _own(tmp_path, declaration)
    assert f"{tmp_path}/images/0.JPG {near}" in str(caught.value)
    assert f"{tmp_path}/labels/0.tif and 2 more: nearly fits labels/{{n}}.png" in str(caught.value)
    image_file(tmp_path / "images/7.jpg")
    inspection = _own(tmp_path, declaration)
    assert inspection.defects[0].startswith(f"{tmp_path}/images/7.jpg: an image without its label")
    assert [line.split(": ")[1][:11] for line in inspection.defects[1:]] == ["nearly fits"] * 2


def test_a_pattern_in_another_unicode_form_than_a_folders_name_is_a_near_miss(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
    for folder, pattern in ((composed, decomposed), (decomposed, composed)):
        image_file(tmp_path / f"{folder}/1.png")
        with pytest.raises(
            InputError, match=r"1\.png: nearly fits .*/\{n\}\.png, .*, or the Unicode form of an accent"
        ):
            _own(tmp_path, {"images": f"{pattern}/{{n}}.png"})
        (tmp_path / f"{folder}/1.png").unlink()
        (tmp_path / folder).rmdir()


# ----------------------------------------------------------------------------------------------- images and labels


def test_several_images_share_a_label_where_its_pattern_has_only_some_parts_of_their_ids(tmp_path: Path) -> None:
    """Foggy Cityscapes (Sakaridis et al. 2018): every image in three densities of fog, one label."""
    frames = [f"ulm_{number:06d}_000019" for number in range(2)]
    for frame in frames:
        for beta in ("0.005", "0.01", "0.02"):
            image_file(tmp_path / f"leftImg8bit_foggyDBF/train/ulm/{frame}_leftImg8bit_foggy_beta_{beta}.png")
        label_file(tmp_path / f"gtFine/train/ulm/{frame}_gtFine_labelIds.png", label_of([7, 26]))
    declaration: dict[str, object] = {
        "images": "leftImg8bit_foggyDBF/{split}/*/{frame}_leftImg8bit_foggy_beta_{beta}.png",
        "labels": [{"files": "gtFine/{split}/*/{frame}_gtFine_labelIds.png", "ids": "cityscapes"}],
    }
    index = _own(tmp_path, declaration, "train").sound_index()
    assert [sample.id for sample in index.samples] == [
        f"{f}_{beta}" for f in frames for beta in ("0.005", "0.01", "0.02")
    ]
    assert [sample.label for sample in index.samples] == [
        f"gtFine/train/ulm/{frame}_gtFine_labelIds.png" for frame in frames for _ in range(3)
    ]
    assert index.read_label(index.samples[4])[0, :2].tolist() == [0, 13]
    for path in (tmp_path / "leftImg8bit_foggyDBF/train/ulm").glob("*000000*"):
        path.unlink()
    label_file(tmp_path / "gtFine/train/bonn/ulm_000001_000019_gtFine_labelIds.png", label_of([7]))
    defects = _own(tmp_path, declaration, "train").defects
    assert [defect.partition(": ")[2][:27] for defect in defects] == [
        "the same id 'ulm_000001_000",
        "a label without its image; ",
    ]


def test_images_share_a_label_whatever_unicode_form_their_names_have(tmp_path: Path) -> None:
    composed, decomposed = (unicodedata.normalize(form, "Zürich") for form in ("NFC", "NFD"))
    for beta in (1, 2):
        image_file(tmp_path / f"fog/{decomposed}_{beta}.png")
    label_file(tmp_path / f"gt/{composed}.png", label_of([7]))
    labels = {"files": "gt/{frame}.png", "ids": "cityscapes"}
    index = _own(tmp_path, {"images": "fog/{frame}_{beta}.png", "labels": [labels]}).sound_index()
    assert [sample.label for sample in index.samples] == [f"gt/{composed}.png"] * 2


@pytest.mark.parametrize(
    ("name", "image", "label"), [("gta5", "images/00001", "labels/00001"), ("synthia", "RGB/1", "GT/LABELS/1")]
)
def test_labels_that_daformer_has_converted_are_passed_over(tmp_path: Path, name: str, image: str, label: str) -> None:
    """Its tools/convert_datasets/gta.py and synthia.py write them next to the labels."""
    image_file(tmp_path / f"{image}.png")
    label_file(tmp_path / f"{label}.png", label_of([7]))
    label_file(tmp_path / f"{label}_labelTrainIds.png", label_of([0]))
    inspection = inspect(name, format_named(name), tmp_path, "all", CITYSCAPES19, Checks())
    assert (inspection.defects, [sample.label for sample in inspection.index.samples]) == ([], [f"{label}.png"])


def test_a_list_file_names_images_whatever_unicode_form_it_is_written_in(tmp_path: Path) -> None:
    for form, other in (("NFC", "NFD"), ("NFD", "NFC")):
        root = tmp_path / form
        image_file(root / f"{unicodedata.normalize(form, 'Zürich')}/1.png")
        (root / "own.txt").write_text(unicodedata.normalize(other, "Zürich/1.png\n"), encoding="utf-8")
        listing = listing_of(format_named("folder"), root, "own.txt")
        assert [sample.id for sample in listing.samples] == [unicodedata.normalize(form, "Zürich__1")]


def test_a_void_colour_of_an_unknown_name_is_corrected_to_unlabeled() -> None:
    colours = {"road": [128, 64, 128], "void": [0, 0, 0]}
    layout = build_declared_format("cvat", {"images": "a", "labels": [{"files": "b", "colours": colours}]})
    (line,) = unknown_names(layout, CITYSCAPES19.members)
    assert line.startswith("'void'") and line.endswith("; `unlabeled` ignores a colour")
