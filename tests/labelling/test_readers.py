"""Each kind of file gives the pixels, names and sets that a tool wrote into it."""

import json
import os
import sys
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unicodedata import normalize
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pycocotools import mask as masks

from esl.classes import IGNORE, ClassSet
from esl.errors import InputError
from esl.labelling import tree
from esl.labelling.coco import decoded_counts, decoded_runs
from esl.labelling.kinds import annotated_images, state
from tests.labelling.label_files import CLASSES, colours_of, png, random_label, sets_of, write_masks, write_zip

LABEL = random_label(0)
SQUARE = np.full((16, 24), IGNORE, dtype=np.uint8)
SQUARE[2:6, 3:9] = 13
MAP = "background:0,0,0::\nroad:128,64,128::\ncar:0,0,142::\n"


def read(path: Path, class_set: ClassSet = CLASSES) -> dict[str, NDArray[np.uint8]]:
    return {image.name: image.read(class_set).train_ids for image in annotated_images(path)}


def unzipped(path: Path) -> Path:
    with ZipFile(path) as archive:
        archive.extractall(path.with_suffix(""))
    return path.with_suffix("")


def coco(image: Mapping[str, Any] | None = None, *annotations: Mapping[str, Any]) -> str:
    """A COCO file of one image."""
    images = [{"id": 5, "file_name": "a b/ä.1.jpg", "width": 24, "height": 16} | dict(image or {})]
    whole = [{"id": number, "image_id": 5, "category_id": 2} | dict(each) for number, each in enumerate(annotations)]
    categories = [{"id": 1, "name": "road"}, {"id": 2, "name": "car"}, {"id": 3, "name": "lorry"}]
    return json.dumps({"images": images, "categories": categories, "annotations": whole, "licenses": []})


def test_masks_in_a_zip_file_and_in_its_folder_are_read_alike(tmp_path: Path) -> None:
    archive = write_masks(
        tmp_path / "x.zip", {"Train": {"a b/ä.1": LABEL}, "measure": {"c": SQUARE}, "rest": {"d": LABEL}}
    )
    for path in (archive, unzipped(archive)):
        found = read(path)
        assert found.keys() == {"a b/ä.1", "c", "d"}
        assert np.array_equal(found["a b/ä.1"], LABEL) and np.array_equal(found["c"], SQUARE)
        assert sets_of(path) == {"train": ["a b/ä.1"], "measure": ["c"], None: ["d"]}


def test_masks_may_lie_below_a_folder_and_hold_colours(tmp_path: Path) -> None:
    label = np.where(np.isin(LABEL, [0, 13]), LABEL, IGNORE).astype(np.uint8)
    files = {
        "top/labelmap.txt": MAP,
        "top/SegmentationClass/x.png": png(colours_of(label)),
        "top/JPEGImages/x.png": b"",
    }
    path = write_zip(tmp_path / "x.zip", files)
    assert sets_of(path) == {None: ["x"]}
    assert np.array_equal(read(path)["x"], label)


def test_labels_are_told_by_their_names_whatever_their_colours(tmp_path: Path) -> None:
    swapped = "car:128,64,128::\nroad:0,0,142::\nsky:1,2,3::\n"
    files = {"labelmap.txt": swapped, "SegmentationClass/x.png": png(colours_of(np.array([[0, 13]], np.uint8)))}
    assert read(write_zip(tmp_path / "x.zip", files))["x"].tolist() == [[13, 0]]


def test_a_member_of_a_class_is_that_class_and_an_unused_unknown_label_is_no_error(tmp_path: Path) -> None:
    joined = ClassSet("two", ("way", "car"), ((1, 1, 1), (2, 2, 2)), (("road", "sidewalk"), ("car",)))
    files = {
        "labelmap.txt": MAP + "lorry:9,9,9::\n",
        "SegmentationClass/x.png": png(colours_of(np.array([[0, 13]], np.uint8))),
    }
    (image,) = annotated_images(write_zip(tmp_path / "x.zip", files))
    assert image.read(joined).train_ids.tolist() == [[0, 1]]
    assert image.read(joined).unknown == frozenset()
    foreign = image.read(ClassSet("one", ("car",), ((2, 2, 2),), (("car",),), foreign=("road",)))
    assert foreign.train_ids.tolist() == [[IGNORE, 0]] and not foreign.unknown
    unknown = image.read(ClassSet("one", ("car",), ((2, 2, 2),), (("car",),)))
    assert unknown.train_ids.tolist() == [[IGNORE, 0]] and unknown.unknown == {"road"}


def test_names_of_a_zip_file_without_the_flag_of_utf_8_are_utf_8_where_they_can_be(tmp_path: Path) -> None:
    """macOS writes such names, in another Unicode form than the lists."""
    name = normalize("NFD", "ä")
    path = write_zip(tmp_path / "x.zip", {"labelmap.txt": MAP, "ImageSets/Segmentation/train.txt": "ä\n"})
    with ZipFile(path, "a") as archive:
        archive.writestr("SegmentationClass/__.png", png(colours_of(np.array([[0]], np.uint8))))
        archive.writestr("__MACOSX/SegmentationClass/._x.png", b"remains")
    raw = path.read_bytes().replace(b"SegmentationClass/__.png", b"SegmentationClass/\xc3\xa4.png")
    path.write_bytes(raw)
    assert sets_of(path) == {"train": ["ä"]}
    assert normalize("NFC", name) == "ä"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"SegmentationClass/x.png": b""}, "no labelmap.txt, which names the colours"),
        ({"a/labelmap.txt": MAP, "b/labelmap.txt": MAP}, "2 files labelmap.txt; expected one export"),
        ({"labelmap.txt": "road 1,2,3"}, "'road 1,2,3': expected NAME:RED,GREEN,BLUE"),
        ({"labelmap.txt": "road:1,2,300::"}, "'road:1,2,300::': expected NAME:RED"),
        ({"labelmap.txt": "road:1,2,3::\ncar:1,2,3::"}, r"'car' and 'road' have one colour, \(1, 2, 3\)"),
        ({"labelmap.txt": b"\xff"}, "not a text in UTF-8"),
        ({"labelmap.txt": MAP}, "no image in it has labels"),
        ({"x.json": "{}"}, "not a COCO file of annotations .*images"),
        ({"x.json": "[1"}, "not a COCO file of annotations"),
        ({"readme.txt": "hi"}, "no labels that are read; expected an export of CVAT's"),
        ({"../x.png": b""}, "'../x.png' leads out of its folder"),
        ({"a/../../x.png": b""}, "leads out of its folder"),
        ({"..\\x.png": b""}, "leads out of its folder"),
        ({"/x.png": b""}, "leads out of its folder"),
        ({"C:/x.png": b""}, "leads out of its folder"),
    ],
)  # fmt: skip
def test_a_file_of_no_kind_that_is_read_is_refused_in_one_line(
    tmp_path: Path, files: dict[str, Any], expected: str
) -> None:
    path = write_zip(tmp_path / "x.zip", files)
    with pytest.raises(InputError, match=expected) as caught:
        annotated_images(path)
    assert str(caught.value).startswith(str(path)) and "\n" not in str(caught.value)
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"text"])
def test_what_is_no_zip_file_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"x\.zip: not a readable zip file"):
        annotated_images(tmp_path / "x.zip")
    with pytest.raises(InputError, match="gone: no such file or folder of labels"):
        annotated_images(tmp_path / "gone")


def test_an_entry_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("x.png", b"")
        with pytest.warns(UserWarning, match="Duplicate"):
            archive.writestr("x.png", b"")
    with pytest.raises(InputError, match=r"x.png: occurs twice in the zip file"):
        annotated_images(tmp_path / "x.zip")


def test_bombs_and_damaged_entries_are_refused_before_they_are_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tree, "LARGEST", 1000)
    with ZipFile(tmp_path / "x.zip", "w", ZIP_DEFLATED) as archive:
        archive.writestr("labelmap.txt", MAP)
        archive.writestr("SegmentationClass/bomb.png", bytes(2000))
        archive.writestr("SegmentationClass/damaged.png", png(LABEL), compress_type=0)
        archive.writestr("SegmentationClass/flipped.png", png(LABEL) + b"flip me", compress_type=0)
        archive.writestr("SegmentationClass/grey.png", png(LABEL))
        archive.writestr("SegmentationClass/other.png", png(np.full((1, 1, 3), 7, np.uint8)))
    content = (tmp_path / "x.zip").read_bytes()
    (tmp_path / "x.zip").write_bytes(content.replace(b"flip me", b"flipped"))
    images = {image.name: image for image in annotated_images(tmp_path / "x.zip")}
    expected = {
        "bomb": "x.zip/SegmentationClass/bomb.png: claims 2,000 bytes, but at most 1,000",
        "flipped": "x.zip/SegmentationClass/flipped.png: cannot be read from the zip file .Bad CRC-32",
        "grey": "grey.png: expected a label of colours .* but got mode L; export the labels again",
        "other": r"other.png: colours \(7, 7, 7\) belong to no label; labelmap.txt has none",
    }
    for name, text in expected.items():
        with pytest.raises(InputError, match=text) as caught:
            images[name].read(CLASSES)
        assert "\n" not in str(caught.value)


def test_a_png_that_claims_more_pixels_than_are_read_takes_no_memory(tmp_path: Path) -> None:
    content = bytearray(png(LABEL, CLASSES.palette()))
    content[16:24] = (60000).to_bytes(4, "big") * 2
    content[29:33] = zlib.crc32(content[12:29]).to_bytes(4, "big")
    (tmp_path / "x.png").write_bytes(bytes(content))
    (image,) = annotated_images(tmp_path)
    with pytest.raises(InputError, match=r"x\.png: claims 60000x60000 pixels"):
        image.read(CLASSES)


@pytest.mark.parametrize(
    "content",
    [
        png(LABEL, CLASSES.palette()),
        png(LABEL),
        png(colours_of(LABEL)),
        png(np.searchsorted(np.unique(LABEL), LABEL).astype(np.uint8), colours_of(np.unique(LABEL)).ravel().tolist()),
    ],
    ids=["project's own", "grey", "colours", "another palette"],
)
def test_a_png_holds_train_ids_or_the_colours_of_its_classes(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.png").write_bytes(content)
    assert np.array_equal(read(tmp_path)["x"], LABEL)


def test_a_single_class_in_a_palette_is_read_by_index_or_by_colour(tmp_path: Path) -> None:
    first = np.zeros((2, 2), np.uint8)
    (tmp_path / "index.png").write_bytes(png(first, CLASSES.palette()))
    (tmp_path / "black.png").write_bytes(png(first, [0, 0, 0, 128, 64, 128]))
    assert read(tmp_path)["index"].tolist() == [[0, 0], [0, 0]]
    assert read(tmp_path)["black"].tolist() == [[IGNORE] * 2] * 2


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (png(np.array([[0, 19, 77]], np.uint8)), "holds 19, 77, but expected the trainIds 0 to 18 of 'cityscapes19'"),
        (png(np.array([[[1, 2, 3]]], np.uint8)), r"colours \(1, 2, 3\) belong to no label; expected the colours of"),
        (b"damaged", "not a readable image"),
    ],
)
def test_another_png_is_refused_in_one_line(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "x.png").write_bytes(content)
    with pytest.raises(InputError, match=f"x.png: .*{expected}") as caught:
        read(tmp_path)
    assert "\n" not in str(caught.value)


def test_the_first_folder_of_pngs_is_their_set(tmp_path: Path) -> None:
    names = ("measure/a b/ä.1.png", "Train/x.png", "other/train/y.png")
    plain = write_zip(tmp_path / "x.zip", dict.fromkeys(names, png(LABEL)))
    assert sets_of(plain) == {"measure": ["a b/ä.1"], "train": ["x"], None: ["other/train/y"]}
    below = write_zip(tmp_path / "y.zip", {f"top/{name}": png(LABEL) for name in names[:2]})
    assert sets_of(below) == {"measure": ["a b/ä.1"], "train": ["x"]}
    single = write_zip(tmp_path / "z.zip", {"train/a/x.png": png(LABEL), "train/x.png": png(LABEL)})
    assert sets_of(single) == {"train": ["a/x", "x"]}


def test_coco_polygons_and_runs_paint_over_what_was_before_them(tmp_path: Path) -> None:
    rectangle = [3, 2, 9, 2, 9, 6, 3, 6]
    runs = masks.encode(np.asfortranarray(SQUARE == 13, dtype=np.uint8))
    ones = np.flatnonzero(np.diff(np.r_[0, (SQUARE == 13).ravel(order="F"), 0]))
    plain = {"size": [16, 24], "counts": np.diff(np.r_[0, ones, 16 * 24]).tolist()}
    text = {"size": [16, 24], "counts": runs["counts"].decode()}
    everything = {"size": [16, 24], "counts": [0, 16 * 24]}
    for number, segmentation in enumerate(([rectangle], plain, text)):
        road = {"category_id": 1, "segmentation": everything, "iscrowd": 1}
        path = tmp_path / f"{number}.json"
        path.write_text(coco(None, road, {"segmentation": segmentation}))
        assert np.array_equal(read(path)["a b/ä.1"], np.where(SQUARE == 13, 13, 0))
        path.write_text("\ufeff" + coco(None, {"segmentation": segmentation}, road))
        assert (read(path)["a b/ä.1"] == 0).all()


def test_the_set_of_coco_annotations_is_in_the_name_of_their_file(tmp_path: Path) -> None:
    content = coco(None, {"segmentation": [[3, 2, 9, 2, 9, 6]]})
    names = ("annotations/instances_train.json", "annotations/Measure.json", "annotations/my_labels.json")
    path = write_zip(tmp_path / "x.zip", {**dict.fromkeys(names, content), "meta.json": "{}"})
    assert sets_of(path) == {set_: ["a b/ä.1"] for set_ in ("train", "measure", None)}
    assert [[*sets_of(unzipped(path) / name)] for name in names] == [["train"], ["measure"], [None]]


@pytest.mark.parametrize(
    ("annotation", "expected"),
    [
        ({"segmentation": [[3, 2, 90, 2, 9, 6]]}, "annotation 0: a polygon reaches over the border .* x from 3 to 90"),
        ({"segmentation": [[3, 2, 9, -4, 9, 6]]}, "reaches over the border .* y from -4 to 6, but expected 0 to 16"),
        ({"segmentation": [[3, 2, 9, 2]]}, "annotation 0: a polygon of 4 numbers"),
        ({"segmentation": []}, "neither a polygon nor a mask"),
        ({"bbox": [1, 1, 2, 2]}, "neither a polygon nor a mask"),
        ({"segmentation": {"size": [32, 48], "counts": [0, 32 * 48]}}, "mask is 48x32, but the image 24x16"),
        ({"segmentation": {"size": [16, 24], "counts": [0, 5]}}, "does not fill 24x16 pixels"),
        ({"segmentation": {"size": [16, 24], "counts": [-1, 16 * 24 + 1]}}, "does not fill 24x16 pixels"),
        ({"segmentation": {"size": [16, 24], "counts": "oooo"}}, "run-length encoded mask is cut"),
        ({"segmentation": {"size": [16, 24], "counts": "\u1234"}}, "run-length encoded mask is damaged"),
        ({"segmentation": {"size": [16, 24], "counts": "p" * 9999}}, "damaged"),
    ],
)  # fmt: skip
def test_annotations_that_do_not_fit_their_image_are_one_line(
    tmp_path: Path, annotation: dict[str, Any], expected: str
) -> None:
    (tmp_path / "x.json").write_text(coco(None, annotation))
    with pytest.raises(InputError, match=expected) as caught:
        read(tmp_path / "x.json")
    assert str(caught.value).startswith(f"{tmp_path / 'x.json'}: a b/ä.1.jpg: ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (coco(None, {"image_id": 6}), "annotation 0: there is no image 6"),
        (coco(None, {"category_id": 6}), "annotation 0: there is no category 6"),
        (coco({"width": "wide"}, {}), "not a COCO file of annotations .*width"),
        (coco(None, {"segmentation": [[float("nan")] * 6]}), "not a COCO file of annotations"),
        (coco(None), "no image in it has labels"),
    ],
)
def test_a_coco_file_that_contradicts_itself_is_one_line(tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(InputError, match=f"x.json: .*{expected}") as caught:
        annotated_images(tmp_path / "x.json")
    assert "\n" not in str(caught.value)


def test_an_image_of_coco_that_claims_more_pixels_than_are_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(coco({"width": 10**6, "height": 10**6}, {"segmentation": [[3, 2, 9, 2, 9, 6]]}))
    with pytest.raises(InputError, match="claims 1000000x1000000 pixels"):
        read(tmp_path / "x.json")


def test_polygons_without_pycocotools_say_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.json").write_text(coco(None, {"segmentation": [[3, 2, 9, 2, 9, 6]]}))
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(InputError, match=r"pip install 'esl\[export\]'"):
        read(tmp_path / "x.json")


@given(st.integers(1, 9), st.integers(1, 9), st.randoms(use_true_random=False))
def test_runs_as_text_are_those_of_pycocotools(height: int, width: int, random: Any) -> None:
    mask = np.array([[random.random() < 0.5 for _ in range(width)] for _ in range(height)])
    encoded = masks.encode(np.asfortranarray(mask, dtype=np.uint8))
    assert np.array_equal(decoded_runs(decoded_counts(encoded["counts"].decode()), (height, width)), mask)


def test_long_runs_as_text_are_those_of_pycocotools() -> None:
    mask = np.zeros((1500, 1500), dtype=bool)
    mask[:, 700:] = mask[3, 2] = True
    encoded = masks.encode(np.asfortranarray(mask, dtype=np.uint8))
    assert np.array_equal(decoded_runs(decoded_counts(encoded["counts"].decode()), mask.shape), mask)


@given(st.text(max_size=30))
def test_any_text_gives_lengths_or_one_error(text: str) -> None:
    try:
        counts = decoded_counts(text)
        decoded_runs(counts, (4, 4))
    except ValueError as error:
        assert "run-length encoded" in str(error)


def test_the_state_changes_with_the_content_alone(tmp_path: Path) -> None:
    archive = write_masks(tmp_path / "x.zip", {"train": {"a": LABEL}})
    folder = unzipped(archive)
    (tmp_path / "y.json").write_text(coco(None, {}))
    paths = (archive, folder, tmp_path / "y.json")
    before = [state(path) for path in paths]
    for path in (*paths, folder / "labelmap.txt"):
        os.utime(path, (1, 1))
    assert [state(path) for path in paths] == before and len({*before}) == 3
    write_masks(archive, {"train": {"a": SQUARE}})
    (folder / "ImageSets/Segmentation/train.txt").rename(folder / "ImageSets/Segmentation/measure.txt")
    (tmp_path / "y.json").write_text(coco({"width": 25}, {}))
    assert not {state(path) for path in paths} & {*before}
    with pytest.raises(InputError, match="no such file or folder of labels"):
        state(tmp_path / "gone")
