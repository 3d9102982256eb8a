"""Sheets of pseudo-labels and of predictions: which images they show, under which titles, in which colours."""

from pathlib import Path

import numpy as np
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.figures.sheet import label_rows
from esl.figures.style import in_colour
from esl.files import write_json
from esl.labels.png import png_path, write_png
from esl.stages.figures import main
from tests.contents import whole_manifest, whole_predictions

CLASSES = CLASS_SETS["cityscapes19"]


def _manifest(folder: Path, index: Index, kept: float) -> Path:
    """A manifest and its PNGs: the first class everywhere, but the first row ignored."""
    label = np.zeros((16, 24), dtype=np.uint8)
    label[0] = IGNORE
    for sample in index.samples:
        write_png(png_path(folder / "pseudo_labels", sample.id), label, index.class_set)
    write_json(folder / "pseudo_labels.json", whole_manifest({sample.id: {} for sample in index.samples}, kept=kept))
    return folder / "pseudo_labels.json"


def test_colours_are_those_of_the_class_set_and_ignored_pixels_are_white() -> None:
    label = np.array([[0, 18, IGNORE, 200]], dtype=np.uint8)
    assert in_colour(label, CLASSES).tolist() == [[[128, 64, 128], [119, 11, 32], [255, 255, 255], [255, 255, 255]]]


def test_rows_are_spread_evenly_and_hold_image_rounds_and_truth(tmp_path: Path, small_index: Index) -> None:
    manifests = [_manifest(tmp_path / name, small_index, kept) for name, kept in (("a-round1", 0.5), ("b-round1", 1))]
    rows = label_rows(small_index, manifests, 3)
    chosen = [small_index.samples[position] for position in (0, 2, 4)]
    for row, sample in zip(rows, chosen, strict=True):
        assert [*row] == ["target image", "a-round1 (50 % kept)", "b-round1 (100 % kept)", "truth"]
        assert np.array_equal(row["target image"], small_index.read_image(sample))
        assert row["a-round1 (50 % kept)"][0].min() == 255
        assert (row["a-round1 (50 % kept)"][1:] == CLASSES.colours[0]).all()
        assert np.array_equal(row["truth"], in_colour(small_index.read_label(sample), CLASSES))
    assert len(label_rows(small_index, manifests, 50)) == len(small_index.samples)


def test_predictions_have_the_names_of_their_models(tmp_path: Path, small_index: Index) -> None:
    label = np.full((16, 24), 13, dtype=np.uint8)
    for sample in small_index.samples:
        write_png(png_path(tmp_path / "source/predictions", sample.id), label, CLASSES)
    write_json(
        tmp_path / "source/predictions.json", whole_predictions({sample.id: {} for sample in small_index.samples})
    )
    (row,) = label_rows(small_index, [tmp_path / "source/predictions.json"], 1)
    assert [*row] == ["target image", "source", "truth"]
    assert (row["source"] == CLASSES.colours[13]).all()


def test_the_stage_writes_the_same_png_at_every_run(tmp_path: Path, small_index: Index) -> None:
    write_json(tmp_path / "index.json", small_index.to_json())
    manifest = _manifest(tmp_path / "a-round1", small_index, 0.5)
    for name in ("a.png", "b.png"):
        flags = ["--manifests", str(manifest), "--index", str(tmp_path / "index.json"), "--images", "2"]
        main([*flags, "--output", str(tmp_path / name)])
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    with Image.open(tmp_path / "a.png") as image:
        assert image.format == "PNG" and image.width > 1000
