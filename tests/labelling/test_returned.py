"""Labels come back to the images that they are of, pixel for pixel; all mistakes are reported at once, a line each."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import process_time
from typing import Any
from unicodedata import normalize

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE
from esl.errors import InputError
from esl.files import write_json
from esl.labelling.annotated import AnnotatedImage, ReadLabel
from esl.labelling.contents import Labels, LabelSet, read_labels
from esl.labelling.matching import match
from esl.labelling.truth import labelled_by
from esl.stages.labels import main
from tests.labelling.label_files import (
    CLASSES,
    NAMES,
    SETS,
    Label,
    Target,
    colours_of,
    png,
    random_label,
    write_masks,
    write_target,
    write_zip,
)

FRAME, STREET, PLAIN = NAMES["train"]
OTHER = NAMES["measure"][1]
Run = Callable[..., Labels]


@pytest.fixture
def run(tmp_path: Path, target: Target) -> Run:
    def run(target: Target = target, **settings: Any) -> Labels:
        data, output = tmp_path / "data", tmp_path / "label/labels.json"
        for set_, index in target.indices.items():
            write_json(data / f"{set_}.json", index.to_json())
        flags = ["--train-index", data / "train.json", "--val-index", data / "measure.json", "--output", output]
        main([*map(str, flags), "--settings", json.dumps({name: str(path) for name, path in settings.items()})])
        return read_labels(output)

    return run


def problems(run: Run, *args: Any, **settings: Any) -> list[str]:
    """The lines of the mistakes that the stage reports."""
    with pytest.raises(InputError, match=r"problem\(s\) with the labels; nothing is written") as caught:
        run(*args, **settings)
    first, *lines = str(caught.value).split("\n")
    assert f": {len(lines)} problem(s)" in first and all(line.startswith("  ") for line in lines)
    return lines


def test_labels_come_back_to_their_images_pixel_for_pixel(run: Run, target: Target, tmp_path: Path) -> None:
    labels = run(labels=write_masks(tmp_path / "x.zip", target.labels))
    assert (labels.origin, labels.images) == (str(tmp_path / "x.zip"), 5)
    everything = [label for set_ in SETS for label in target.labels[set_].values()]
    assert labels.pixels == {
        name: sum(int((label == id_).sum()) for label in everything) for id_, name in enumerate(CLASSES.classes)
    }
    for set_ in SETS:
        own = labelled_by(tmp_path / "label/labels.json", target.indices[set_], set_)
        found = {sample.image.removesuffix(".jpg"): own.read_label(sample) for sample in own.samples}
        assert found.keys() == target.labels[set_].keys()
        assert all(np.array_equal(found[name], label) for name, label in target.labels[set_].items())


def test_the_same_labels_give_the_same_bytes_and_no_others_stay(run: Run, target: Target, tmp_path: Path) -> None:
    path = write_masks(tmp_path / "x.zip", target.labels)
    run(labels=path)
    before = {file: file.read_bytes() for file in (tmp_path / "label").rglob("*.*")}
    (tmp_path / "label/labels/stale.png").write_bytes(b"")
    run(labels=path)
    assert {file: file.read_bytes() for file in (tmp_path / "label").rglob("*.*")} == before
    assert len(before) == 6
    run(labels=write_masks(tmp_path / "x.zip", {"train": {PLAIN: random_label(1)}}))
    assert [file.stem for file in (tmp_path / "label/labels").iterdir()] == [target.id_of(PLAIN)]


def test_files_of_their_own_name_the_sets_whatever_is_in_them(run: Run, target: Target, tmp_path: Path) -> None:
    measure = write_masks(tmp_path / "m.zip", {"default": target.labels["measure"]})
    train = write_masks(tmp_path / "t.zip", {"measure": target.labels["train"]})
    labels = run(measure=measure, train=train)
    assert labels.origin == f"{measure}, {train}"
    assert {target.id_of(name): set_ for set_ in SETS for name in NAMES[set_]} == {
        id_: file.set for id_, file in labels.files.items()
    }
    assert {file.set for file in run(train=train).files.values()} == {"train"}


@pytest.mark.parametrize("settings", [{}, {"labels": "a", "train": "b"}, {"labels": "a", "measure": "b", "train": "c"}])
def test_the_settings_have_exactly_one_of_both_forms(run: Run, settings: dict[str, str]) -> None:
    with pytest.raises(InputError, match=r"--settings: .*expected either labels, or measure or train or both"):
        run(**settings)


@pytest.mark.parametrize(
    "written",
    [
        FRAME,
        "drive 1/frame.v1",  # without leading folders
        f"task 7/images/{FRAME}",  # with more of them
        "drive 1__frame.v1",  # the id
        "labels/drive 1__frame.v1",
    ],
)
def test_an_image_is_found_by_path_by_id_and_by_the_end_of_its_path(
    run: Run, target: Target, tmp_path: Path, written: str
) -> None:
    labels = run(train=write_zip(tmp_path / "x.zip", {f"{written}.png": png(random_label(1))}))
    assert [*labels.files] == [target.id_of(FRAME)]


def test_unicode_forms_of_a_name_are_one_name(run: Run, target: Target, tmp_path: Path) -> None:
    (tmp_path / "pngs/train").mkdir(parents=True)
    (tmp_path / "pngs/train" / normalize("NFD", "ä b.png")).write_bytes(png(random_label(1)))
    assert [*run(labels=tmp_path / "pngs").files] == [target.id_of(STREET)]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("train/plane", "no image 'train/plane' in target.train_split; did you mean 'train/plain'?"),
        ("x/y/zzz", "no image 'x/y/zzz' in target.train_split; name it as the image, from the root of the target"),
        ("ain", "no image 'ain' in target.train_split"),
        (OTHER, "is for `train`, whose images are those of target.train_split, but its image is one of target.val"),
    ],
)  # fmt: skip
def test_a_label_of_no_image_is_a_line(run: Run, tmp_path: Path, name: str, expected: str) -> None:
    path = write_masks(tmp_path / "x.zip", {"train": {PLAIN: random_label(0), name: random_label(1)}})
    (line,) = problems(run, labels=path)
    assert line.startswith(f"  {path}/SegmentationClass/{name}.png: ") and expected in line
    assert not (tmp_path / "label").exists()


def test_a_label_of_several_images_is_a_line(run: Run, tmp_path: Path) -> None:
    names: dict[LabelSet, tuple[str, ...]] = {"train": ("train/a/x", "train/b/x"), "measure": ("val/y",)}
    target = write_target(tmp_path / "target", names)
    (line,) = problems(run, target, labels=write_masks(tmp_path / "x.zip", {"train": {"x": random_label(0)}}))
    assert "may be of 2 images, train/a/x.jpg, train/b/x.jpg; give it the whole path" in line
    assert run(target, labels=write_masks(tmp_path / "x.zip", {"train": {"a/x": random_label(0)}})).images == 1


def test_two_labels_of_one_image_are_a_line(run: Run, tmp_path: Path) -> None:
    files = {f"train/{name}.png": png(random_label(0)) for name in ("plain", "again/train/plain")}
    (line,) = problems(run, labels=write_zip(tmp_path / "x.zip", files))
    assert line.endswith("two labels of one image, train/plain.jpg; remove one of them")
    assert all(name in line for name in files)


def both_sets(tmp_path: Path) -> Target:
    """A target whose splits are one."""
    target = write_target(tmp_path / "target")
    return Target(target.root, {"train": target.indices["train"], "measure": target.indices["train"]}, target.labels)


def test_an_image_may_be_in_both_indices_and_not_in_both_sets(run: Run, tmp_path: Path) -> None:
    target = both_sets(tmp_path)
    subsets = {"train": {PLAIN: random_label(0)}, "measure": {STREET: random_label(1)}}
    assert {file.set for file in run(target, labels=write_masks(tmp_path / "x.zip", subsets)).files.values()} == {*SETS}
    path = tmp_path / "y.zip"
    subset = "".join(f"{name}\n" for name in (PLAIN, STREET))
    files: dict[str, bytes | str] = {f"ImageSets/Segmentation/{name}.txt": subset for name in SETS}
    files |= {f"SegmentationClass/{name}.png": png(colours_of(random_label(0))) for name in (PLAIN, STREET)}
    rows = zip(CLASSES.classes, CLASSES.colours, strict=True)
    files["labelmap.txt"] = "".join(f"{name}:{','.join(map(str, colour))}::\n" for name, colour in rows)
    lines = problems(run, target, labels=write_zip(path, files))
    assert len(lines) == 2
    assert all("is in both sets, measure and train; keep one of the labels" in line for line in lines)


def test_a_copy_of_a_measured_image_with_another_name_is_never_trained_on(run: Run, tmp_path: Path) -> None:
    write_target(tmp_path / "target")
    shutil.copy(tmp_path / "target/val/other.jpg", tmp_path / "target/train/copy.jpg")
    target = write_target(tmp_path / "target")
    subsets = {"train": {"train/copy": random_label(0)}, "measure": {OTHER: random_label(0)}}
    (line,) = problems(run, target, labels=write_masks(tmp_path / "x.zip", subsets))
    assert "whose copy is" in line and "train/copy.jpg" in line and "val/other.jpg" in line


def test_two_images_with_one_id_are_a_line(run: Run, tmp_path: Path) -> None:
    """Splits that are folders of equal names; results are named by ids."""
    target = write_target(tmp_path / "target", {"train": ("train/a",), "measure": ("val/a",)})
    subsets = {"train": {"train/a": random_label(0)}, "measure": {"val/a": random_label(0)}}
    (line,) = problems(run, target, labels=write_masks(tmp_path / "x.zip", subsets))
    assert "two images with one id, 'a', one in each set; rename the image of one of them" in line


@pytest.mark.parametrize(
    ("size_hw", "expected"),
    [
        ((32, 48), "is 48x32, but its image is 24x16; label the image itself, or export the labels at its size"),
        ((24, 16), "is 16x24, but its image is 24x16; is the image turned by its EXIF orientation?"),
    ],
)
def test_a_label_of_another_size_is_a_line_and_is_never_resized(
    run: Run, tmp_path: Path, size_hw: tuple[int, int], expected: str
) -> None:
    path = write_masks(tmp_path / "x.zip", {"train": {PLAIN: random_label(0, size_hw)}})
    (line,) = problems(run, labels=path)
    assert expected in line


def coco(**annotation: Any) -> str:
    image = {"id": 1, "file_name": f"{PLAIN}.jpg", "width": 24, "height": 16}
    whole = {"id": 9, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 24, 0, 24, 16, 0, 16]]} | annotation
    categories = [{"id": 1, "name": "road"}, {"id": 2, "name": "lorry"}, {"id": 3, "name": "tram"}]
    return json.dumps({"images": [image], "categories": categories, "annotations": [whole]})


def test_a_label_painted_over_the_border_of_its_image_is_a_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "train.json"
    path.write_text(coco(segmentation=[[0, 0, 40, 0, 40, 16]]))
    (line,) = problems(run, labels=path)
    assert f"{path}: {PLAIN}.jpg: annotation 9: a polygon reaches over the border of its image: x from 0 to 40" in line
    path.write_text(coco())
    assert run(labels=path).pixels["road"] == 24 * 16


def test_an_unknown_class_is_one_line_for_all_images_with_the_names_there_are(run: Run, tmp_path: Path) -> None:
    table = "background:0,0,0::\nlorry:1,1,1::\ntran:2,2,2::\nunused:3,3,3::\n"
    mask = np.zeros((16, 24, 3), dtype=np.uint8)
    mask[0], mask[1] = 1, 2
    names = [f"SegmentationClass/{name}.png" for name in (PLAIN, STREET)]
    path = write_zip(tmp_path / "x.zip", {"labelmap.txt": table} | dict.fromkeys(names, png(mask)))
    first, second = problems(run, train=path)
    assert "and 1 more image(s): the label 'lorry' is of no class of 'cityscapes19'" in first
    assert first.endswith(f"known: {', '.join(sorted(CLASSES.classes))}")
    assert second.endswith("did you mean 'train'?")


def test_an_image_without_a_labelled_pixel_is_left_out_and_none_at_all_is_a_line(
    run: Run, target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = np.full((16, 24), IGNORE, dtype=np.uint8)
    labels = run(labels=write_masks(tmp_path / "x.zip", {"train": {PLAIN: empty, STREET: random_label(0)}}))
    assert [*labels.files] == [target.id_of(STREET)]
    assert f"{PLAIN}.png: nothing is labelled on it; left out" in capsys.readouterr().err
    (line,) = problems(run, labels=write_masks(tmp_path / "y.zip", {"train": {PLAIN: empty}}))
    assert "nothing is labelled on any image" in line


def test_a_file_that_names_no_set_says_how_to_name_it(run: Run, tmp_path: Path) -> None:
    labels = {PLAIN: random_label(0), STREET: random_label(0)}
    (line,) = problems(run, labels=write_masks(tmp_path / "x.zip", {"default": labels}))
    assert "does not say what 2 image(s) such as 'train/plain' are for" in line
    assert "`target.labels: {measure: ..., train: ...}`" in line


def test_every_mistake_is_reported_at_once_and_nothing_is_written(run: Run, target: Target, tmp_path: Path) -> None:
    run(labels=write_masks(tmp_path / "x.zip", target.labels))
    before = {file: file.read_bytes() for file in (tmp_path / "label").rglob("*.*")}
    files = {
        "train/plain.png": b"damaged",
        "train/straße/ä b.png": png(random_label(0, (8, 8))),
        "train/who.png": png(random_label(0)),
        "measure/other.png": png(random_label(0)),
        "rest/other.png": png(random_label(0)),
    }
    lines = problems(run, labels=write_zip(tmp_path / "x.zip", files))
    expected = ("does not say what 1 image", "no image 'who'", "plain.png: not a readable image", "is 8x8")
    assert all(text in line for text, line in zip(expected, lines, strict=True))
    assert {file: file.read_bytes() for file in (tmp_path / "label").rglob("*.*")} == before


def test_indices_of_two_class_sets_are_refused(run: Run, target: Target, tmp_path: Path) -> None:
    other = replace(target.indices["train"], class_set=replace(CLASSES, name="other"))
    mixed = Target(target.root, target.indices | {"train": other}, target.labels)
    with pytest.raises(InputError, match="the two indices of the target are of different class sets"):
        run(mixed, labels=write_masks(tmp_path / "x.zip", target.labels))


def test_ten_thousand_names_are_matched_in_seconds(target: Target) -> None:
    (sample, *_) = target.indices["train"].samples
    samples = [replace(sample, id=f"{n}", image=f"train/a/{n}.jpg", image_sha256=f"{n:064}") for n in range(10_000)]
    indices = target.indices | {"train": replace(target.indices["train"], samples=samples)}
    label = ReadLabel(np.zeros((1, 1), np.uint8))
    names = [AnnotatedImage(f"b/a/{n}", "train", f"{n}", lambda _: label) for n in range(10_000)]
    start = process_time()
    matches, lines = match([("train", each) for each in names], indices)
    assert [each.sample.id for each in matches] == [sample.id for sample in samples] and not lines
    assert process_time() - start < 5


def test_a_case_of_cvats_colours_without_a_map_says_what_is_missing(run: Run, target: Target, tmp_path: Path) -> None:
    """As tools export that know no map of colours; its masks by themselves are a folder of PNGs."""
    folder = tmp_path / "export"
    (folder / "SegmentationClass").mkdir(parents=True)
    Image.fromarray(colours_of(random_label(0))).save(folder / "SegmentationClass/plain.png")
    with pytest.raises(InputError, match=r"export: no labelmap\.txt, which names the colours of its masks"):
        run(train=folder)
    assert [*run(train=folder / "SegmentationClass").files] == [target.id_of(PLAIN)]


def read_png(path: Path) -> Label:
    return np.asarray(Image.open(path))


def test_written_pngs_open_in_the_colours_of_their_classes(run: Run, target: Target, tmp_path: Path) -> None:
    run(labels=write_masks(tmp_path / "x.zip", target.labels))
    path = tmp_path / f"label/labels/{target.id_of(PLAIN)}.png"
    label = target.labels["train"][PLAIN]
    assert np.array_equal(read_png(path), label)
    assert np.array_equal(np.asarray(Image.open(path).convert("RGB")), colours_of(label))
