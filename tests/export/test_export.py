"""Pseudo-labels handed over to labelling tools, read back by the tools' own importers where these are installed."""

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO

from esl.classes import IGNORE, ClassSet
from esl.data.index import Index
from esl.errors import InputError
from esl.export.cvat import write_cvat
from esl.files import read_json, sha256_of_file, write_json
from esl.labelling.masks import voc_palette
from esl.labels.fixed_point import TOP
from esl.labels.png import png_path, write_png
from esl.labels.shard import Origin, write_shard
from esl.stages import export
from tests.contents import whole_manifest

Labels = dict[str, NDArray[np.uint8]]
Codes = dict[str, NDArray[np.uint16]]


@pytest.fixture(scope="module")
def round_(tmp_path_factory: pytest.TempPathFactory, small_index: Index) -> tuple[Path, Labels, Codes]:
    """A folder with index, maps in two shards and pseudo-labels of random classes; and what they hold."""
    folder, rng = tmp_path_factory.mktemp("round"), np.random.default_rng(0)
    labels: Labels = {}
    codes: Codes = {}
    write_json(folder / "index.json", small_index.to_json())
    ids = [sample.id for sample in small_index.samples]
    for number, part in enumerate((ids[::2], ids[1::2]), start=1):
        origin = Origin(small_index.class_set.classes, "abc0" * 16, "bilinear")
        path = folder / f"{number}-of-2.h5"
        with write_shard(path, len(part), origin, stored=["confidence"], counted=["confidence"]) as writer:
            for id_ in part:
                labels[id_] = rng.choice([0, 3, 13, 18, IGNORE], (16, 24)).astype(np.uint8)
                codes[id_] = rng.integers(0, TOP + 1, (16, 24), dtype=np.uint16)
                predicted = np.zeros((16, 24), dtype=np.uint8)
                probability = np.zeros((19, 4, 6), dtype=np.float16)
                maps = {"label": predicted, "confidence": codes[id_], "probability": probability}
                writer.append(writer.pack(id_, maps))
                write_png(png_path(folder / "pseudo_labels", id_), labels[id_], small_index.class_set)
    files = {id_: {"sha256": sha256_of_file(png_path(folder / "pseudo_labels", id_)), "kept": 0.8} for id_ in ids}
    write_json(folder / "pseudo_labels.json", whole_manifest(files, kept=0.8))
    return folder, labels, codes


def exported(folder: Path, format_: str, output: Path) -> Path:
    maps = [str(folder / f"{number}-of-2.h5") for number in (1, 2)]
    paths = ["--manifest", str(folder / "pseudo_labels.json"), "--index", str(folder / "index.json")]
    export.main(["--format", format_, "--maps", *maps, *paths, "--output", str(output)])
    return output


def unzipped(path: Path) -> Path:
    with zipfile.ZipFile(path) as archive:
        archive.extractall(path.with_suffix(""))
    return path.with_suffix("")


def test_coco_reads_back_every_pixel_class_and_score(round_: Any, small_index: Index, tmp_path: Path) -> None:
    folder, labels, codes = round_
    coco = COCO(exported(folder, "coco", tmp_path / "coco.json"))
    classes = small_index.class_set.classes
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == [*classes]
    assert len(coco.imgs) == len(labels)
    for image in coco.imgs.values():
        sample = next(sample for sample in small_index.samples if sample.image == image["file_name"])
        assert (image["width"], image["height"]) == sample.size_wh
        annotations = coco.loadAnns(coco.getAnnIds(imgIds=image["id"]))
        read = np.full((16, 24), IGNORE, dtype=np.uint8)
        for annotation in annotations:
            mask = coco.annToMask(annotation).astype(bool)
            assert (read[mask] == IGNORE).all() and mask.sum() == annotation["area"]
            rows, columns = np.nonzero(mask)
            left, top, width, height = annotation["bbox"]
            assert (left, top) == (columns.min(), rows.min())
            assert (width, height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
            read[mask] = annotation["category_id"] - 1
            assert annotation["score"] == pytest.approx(codes[sample.id][mask].mean() / TOP, abs=1e-4)
        assert np.array_equal(read, labels[sample.id])


def test_cvat_reads_back_every_pixel_by_its_colour(round_: Any, small_index: Index, tmp_path: Path) -> None:
    folder, labels, _ = round_
    root = unzipped(exported(folder, "cvat", tmp_path / "cvat.zip"))
    lines = (root / "labelmap.txt").read_text().splitlines()[1:]
    names = [line.split(":")[0] for line in lines]
    assert names == ["background", *small_index.class_set.classes]
    number_of = {tuple(map(int, line.split(":")[1].split(","))): number for number, line in enumerate(lines)}
    listed = (root / "ImageSets/Segmentation/default.txt").read_text().splitlines()
    assert sorted(listed) == sorted(sample.image.removesuffix(".png") for sample in small_index.samples)
    for sample in small_index.samples:
        name = sample.image
        colours = np.asarray(Image.open(root / "SegmentationClass" / name).convert("RGB")).reshape(-1, 3)
        read = np.array([number_of[tuple(colour)] for colour in colours.tolist()]).reshape(16, 24)
        assert np.array_equal(read, np.where(labels[sample.id] == IGNORE, 0, labels[sample.id].astype(int) + 1))
        objects = np.asarray(Image.open(root / "SegmentationObject" / name))
        assert len({*zip(objects.flat, read.flat, strict=True)}) == len(np.unique(objects)) == len(np.unique(read))


def test_datumaro_which_cvat_imports_with_reads_the_same(round_: Any, small_index: Index, tmp_path: Path) -> None:
    dataset = pytest.importorskip("datumaro.components.dataset", reason="datumaro is not installed")
    folder, labels, _ = round_
    root = unzipped(exported(folder, "cvat", tmp_path / "cvat.zip"))
    read = {item.id: item for item in dataset.Dataset.import_from(str(root), "voc_segmentation")}
    for sample in small_index.samples:
        mask = np.zeros((16, 24), dtype=int)
        for annotation in read[sample.image.removesuffix(".png")].annotations:
            mask[annotation.image.astype(bool)] = annotation.label
        assert np.array_equal(mask, np.where(labels[sample.id] == IGNORE, 0, labels[sample.id].astype(int) + 1))


def test_fiftyone_has_a_mask_and_a_heat_map_for_every_image(round_: Any, small_index: Index, tmp_path: Path) -> None:
    folder, labels, codes = round_
    root = unzipped(exported(folder, "fiftyone", tmp_path / "fiftyone.zip"))
    samples = read_json(root / "samples.json")["samples"]
    targets = read_json(root / "metadata.json")["info"]["default_mask_targets"]
    assert targets == {str(place + 1): name for place, name in enumerate(small_index.class_set.classes)}
    by_path = {entry["filepath"]: entry for entry in samples}
    for sample in small_index.samples:
        entry = by_path[str((Path(small_index.root) / sample.image).resolve())]
        mask = np.asarray(Image.open(root / entry["pseudo_label"]["mask_path"]))
        heat = np.asarray(Image.open(root / entry["confidence"]["map_path"]))
        label = labels[sample.id]
        assert np.array_equal(mask, np.where(label == IGNORE, 0, label.astype(int) + 1))
        assert np.abs(heat / 255 - codes[sample.id] / TOP).max() <= 0.5 / 255 + 1e-6
        assert entry["kept"] == pytest.approx((label != IGNORE).mean())


def test_fiftyones_own_importer_reads_the_same(round_: Any, small_index: Index, tmp_path: Path) -> None:
    data = pytest.importorskip("fiftyone.utils.data", reason="FiftyOne is not installed")
    folder, labels, _ = round_
    root = unzipped(exported(folder, "fiftyone", tmp_path / "fiftyone.zip"))
    with data.LegacyFiftyOneDatasetImporter(str(root)) as importer:
        read = {Path(sample.filepath).name: sample for sample in importer}
    for sample in small_index.samples:
        entry = read[Path(sample.image).name]
        label = labels[sample.id]
        expected = np.where(label == IGNORE, 0, label.astype(int) + 1)
        assert np.array_equal(entry.pseudo_label.get_mask(), expected)
        assert entry.confidence.get_map().shape == label.shape


@pytest.mark.parametrize("format_", ["coco", "cvat", "fiftyone"])
def test_the_same_round_gives_the_same_bytes(round_: Any, tmp_path: Path, format_: str) -> None:
    first, second = (exported(round_[0], format_, tmp_path / name) for name in ("a", "b"))
    assert first.read_bytes() == second.read_bytes()


def test_masks_have_the_size_of_the_image_file(round_: Any, small_index: Index, tmp_path: Path) -> None:
    """Maps of a resized target: two by two pixels of the image for each of theirs."""
    folder, labels, _ = round_
    larger = [replace(sample, size_wh=(48, 32)) for sample in small_index.samples]
    write_json(tmp_path / "index.json", replace(small_index, samples=larger).to_json())
    for name in ("1-of-2.h5", "2-of-2.h5", "pseudo_labels", "pseudo_labels.json"):
        (tmp_path / name).symlink_to(folder / name)
    root = unzipped(exported(tmp_path, "cvat", tmp_path / "cvat.zip"))
    sample = larger[0]
    mask = np.asarray(Image.open(root / "SegmentationClass" / sample.image))
    assert np.array_equal(mask, labels[sample.id].repeat(2, axis=0).repeat(2, axis=1))


@pytest.mark.parametrize(
    ("names", "colours", "expected"),
    [
        (("road", "a:b"), ((1, 0, 0), (2, 0, 0)), "'a:b': CVAT's map of colours cannot hold this name"),
        (("road", "sky"), ((1, 0, 0), (1, 0, 0)), "'sky': its name or colour is that of 'road'"),
        (("road", "void"), ((1, 0, 0), (0, 0, 0)), "'void': its name or colour is that of 'background'"),
    ],
)
def test_classes_that_cvat_cannot_tell_apart_are_refused(
    tmp_path: Path, names: Any, colours: Any, expected: str
) -> None:
    classes = ClassSet("two", names, colours, tuple((name,) for name in names))
    with pytest.raises(InputError, match=expected):
        write_cvat(tmp_path / "cvat.zip", [], classes)
    assert not [*tmp_path.iterdir()]


def test_hostile_names_stay_text(round_: Any, small_index: Index, tmp_path: Path) -> None:
    folder, _, _ = round_
    hostile = ('<script>alert("1")</script>', *small_index.class_set.classes[1:])
    renamed = replace(small_index, class_set=replace(small_index.class_set, classes=hostile))
    write_json(tmp_path / "index.json", renamed.to_json())
    for name in ("1-of-2.h5", "2-of-2.h5", "pseudo_labels", "pseudo_labels.json"):
        (tmp_path / name).symlink_to(folder / name)
    content = json.loads(exported(tmp_path, "coco", tmp_path / "coco.json").read_text())
    assert content["categories"][0]["name"] == hostile[0]


def test_an_edited_pseudo_label_is_not_handed_over(round_: Any, small_index: Index, tmp_path: Path) -> None:
    folder, labels, _ = round_
    for name in ("1-of-2.h5", "2-of-2.h5", "pseudo_labels.json", "index.json"):
        (tmp_path / name).symlink_to(folder / name)
    for id_, label in labels.items():
        write_png(png_path(tmp_path / "pseudo_labels", id_), label, small_index.class_set)
    edited = small_index.samples[0].id
    write_png(png_path(tmp_path / "pseudo_labels", edited), np.zeros((16, 24), np.uint8), small_index.class_set)
    with pytest.raises(InputError, match=f"{edited}.png: changed since it was written"):
        exported(tmp_path, "cvat", tmp_path / "cvat.zip")
    assert not (tmp_path / "cvat.zip").exists()


def test_the_palette_is_pascal_vocs() -> None:
    assert voc_palette()[:12] == [0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0]
    assert len({tuple(voc_palette()[3 * k : 3 * k + 3]) for k in range(256)}) == 256
