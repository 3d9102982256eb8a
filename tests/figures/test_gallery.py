"""The gallery: which images it shows and why, and what its columns hold."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.figures.choice import Survey, accuracy_of, choose, survey
from esl.figures.gallery import (
    AGAINST_BEFORE,
    AGAINST_TRUTH,
    WHITE,
    Round,
    against_before,
    against_truth,
    gallery_entries,
)
from esl.figures.style import in_colour
from esl.labels.measures.build import measure_named
from esl.labels.png import png_path
from esl.stages.draw_gallery import main
from tests.figures.conftest import MadeRound, MakeRound

CLASSES = CLASS_SETS["cityscapes19"]


def _survey(made: MadeRound, index: Index) -> Survey:
    return survey(index, made.manifest, made.folder / "pseudo_labels")


def test_images_are_chosen_by_kept_share_then_accuracy_then_rarity_each_once() -> None:
    found = Survey(
        {"a": 0.9, "b": 0.5, "c": 0.1, "d": 0.4, "e": 0.6},
        accuracy={"a": 0.7, "b": 0.8, "d": 0.9, "e": 0.95},
        pixels=np.array([100, 5, 0, 9]),
        richest={0: "a", 1: "c", 3: "e"},
    )
    expected = {
        "a": ["most pixels kept", "least accurate"],
        "b": ["median share kept", "median accuracy"],
        "c": ["fewest pixels kept", "most of two, the rarest class"],
        "e": ["most accurate", "most of four, the second rarest class"],
    }
    classes = ("one", "two", "three", "four")
    assert choose(found, classes, 8) == expected
    assert [*choose(found, classes, 2)] == ["a", "b"]
    assert choose(Survey({"a": 0.5}), (), 8) == {"a": ["most pixels kept", "median share kept", "fewest pixels kept"]}


def test_equal_values_are_ordered_by_id() -> None:
    assert [*choose(Survey({"b": 0.5, "c": 0.5, "a": 0.5}), (), 8)] == ["a", "b", "c"]


def test_a_survey_knows_what_the_files_hold(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    found = _survey(made, small_index)
    assert found.pixels.tolist() == [*small_index.class_pixels().values()]
    for sample in small_index.samples:
        label = np.asarray(Image.open(png_path(made.folder / "pseudo_labels", sample.id)))
        truth = small_index.read_label(sample)
        assert found.kept[sample.id] == (label != IGNORE).mean()
        kept = (label != IGNORE) & (truth != IGNORE)
        assert found.accuracy[sample.id] == (label == truth)[kept].mean()
    most = {c: max(small_index.samples, key=lambda sample: sample.pixels[c]).id for c in range(19)}  # type: ignore[index]
    assert found.richest == most


def test_without_labels_rarity_is_that_of_the_pseudo_labels(unlabelled_index: Index, make_round: MakeRound) -> None:
    made = make_round(unlabelled_index)
    found = _survey(made, unlabelled_index)
    assert found.accuracy == {}
    assert dict(zip(CLASSES.classes, found.pixels.tolist(), strict=True)) == made.manifest.kept_pixels
    assert {reason for reasons in choose(found, CLASSES.classes, 8).values() for reason in reasons} >= {
        "most pixels kept", "median share kept", "fewest pixels kept",
    }  # fmt: skip


def test_accuracy_counts_pixels_that_are_kept_and_labelled() -> None:
    label = np.array([[0, 1, IGNORE, 1]], dtype=np.uint8)
    truth = np.array([[0, 0, 0, IGNORE]], dtype=np.uint8)
    assert accuracy_of(label, truth) == 0.5
    assert accuracy_of(np.full_like(label, IGNORE), truth) is None


def test_comparisons_paint_every_case_in_its_colour() -> None:
    label = np.array([[0, 1, IGNORE, IGNORE, 1]], dtype=np.uint8)
    prediction = np.array([[0, 1, 2, 1, 1]], dtype=np.uint8)
    truth = np.array([[0, 0, 2, 2, IGNORE]], dtype=np.uint8)
    painted = [tuple(pixel) for pixel in against_truth(label, prediction, truth)[0].tolist()]
    assert painted == [*AGAINST_TRUTH.values(), WHITE]
    before = np.array([[IGNORE, 2, 1, 1, IGNORE]], dtype=np.uint8)
    now = np.array([[0, 1, 1, IGNORE, IGNORE]], dtype=np.uint8)
    assert [tuple(pixel) for pixel in against_before(now, before)[0].tolist()] == [*AGAINST_BEFORE.values(), WHITE]


def test_the_pseudo_label_of_another_class_than_predicted_is_judged_itself() -> None:
    """CBST may give a pixel another class than the most probable one."""
    one, two = np.zeros((1, 1), np.uint8), np.ones((1, 1), np.uint8)
    assert tuple(against_truth(two, one, two)[0, 0].tolist()) == AGAINST_TRUTH["kept, right"]


def test_a_row_holds_the_maps_and_labels_of_its_image(small_index: Index, make_round: MakeRound) -> None:
    made = make_round(small_index)
    id_ = small_index.samples[3].id
    round_ = Round(
        "esl-round2",
        made.shards,
        made.folder / "pseudo_labels",
        made.folder / "pseudo_labels",
        measure_named("entropy"),
    )
    (entry,) = gallery_entries(small_index, round_, _survey(made, small_index), {id_: ["a reason"]})
    assert [*entry.cells] == [
        "target image", "prediction of source", "entropy", "pseudo-label", "truth", "pseudo-label against truth",
        "against the round before",
    ]  # fmt: skip
    assert np.array_equal(entry.cells["prediction of source"], in_colour(made.maps[id_]["label"], CLASSES))
    truth = small_index.read_label(small_index.samples[3])
    assert np.array_equal(entry.cells["truth"], in_colour(truth, CLASSES))
    kept = np.asarray(Image.open(png_path(made.folder / "pseudo_labels", id_))) != IGNORE
    assert (entry.cells["pseudo-label"] == 255).all(axis=2)[~kept].all()
    same = {tuple(pixel) for pixel in entry.cells["against the round before"].reshape(-1, 3).tolist()}
    assert same == {AGAINST_BEFORE["kept as before"], WHITE}
    assert entry.note.startswith(f"{100 * kept.mean():.1f} % kept, ")


@pytest.mark.parametrize("method", ["esl", "bdl", "cbst", "sac", "control"])
def test_every_method_has_a_gallery_and_the_same_one_twice(
    small_index: Index, make_round: MakeRound, method: str
) -> None:
    made = make_round(small_index, method)
    for name, threads in (("a.png", "1"), ("b.png", "2")):
        flags = ["--thresholds", str(made.folder / "thresholds.json"), "--output", str(made.folder / name)]
        main([*made.words(manifest=True), *flags, "--threads", threads])
    assert (made.folder / "a.png").read_bytes() == (made.folder / "b.png").read_bytes()


def test_images_without_labels_have_a_gallery_of_fewer_columns(
    unlabelled_index: Index, make_round: MakeRound, tmp_path: Path
) -> None:
    made = make_round(unlabelled_index)
    flags = ["--thresholds", str(made.folder / "thresholds.json"), "--output", str(tmp_path / "a.png")]
    main([*made.words(manifest=True), *flags])
    with Image.open(tmp_path / "a.png") as image:
        assert image.width == 2 * 10 + 4 * 276 + 3 * 8  # four columns: no truth, no round before


def test_an_edited_pseudo_label_is_named(small_index: Index, make_round: MakeRound, tmp_path: Path) -> None:
    made = make_round(small_index)
    png = png_path(made.folder / "pseudo_labels", small_index.samples[0].id)
    Image.fromarray(np.zeros((16, 24), np.uint8)).save(png)
    flags = ["--thresholds", str(made.folder / "thresholds.json"), "--output", str(tmp_path / "a.png")]
    with pytest.raises(InputError, match=png.name):
        main([*made.words(manifest=True), *flags])
    assert not (tmp_path / "a.png").exists()
