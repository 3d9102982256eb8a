"""Pseudo-label PNGs, their manifest, and the diagnosis against target labels."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import CLASS_SETS, IGNORE, ClassSet
from esl.datasets.index import Index
from esl.datasets.reading import read_label
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.fixed_point import CODES, TOP
from esl.maps import Origin, write_shard
from esl.pseudo_labels import (
    Quality,
    accuracy_at,
    checked_files,
    png_path,
    train_id_table,
    write_png,
    write_pseudo_labels,
)
from esl.rules import RULES

CITYSCAPES19 = CLASS_SETS["cityscapes19"]
ALL = np.array([[*range(19), IGNORE]], dtype=np.uint8)


# ------------------------------------------------------------------------------------------------------- the PNG


def test_a_png_is_indexed_by_train_id_in_the_colours_of_cityscapes(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", ALL, CITYSCAPES19)
    with Image.open(tmp_path / "a.png") as image:
        assert (image.format, image.mode) == ("PNG", "P")
        assert np.array_equal(np.asarray(image), ALL)
        colours = np.asarray(image.convert("RGB"))[0].tolist()
    assert [tuple(colour) for colour in colours] == [*CITYSCAPES19.colours, (0, 0, 0)]


def test_a_png_is_stored_with_8_bits_even_when_few_classes_are_in_it(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((3, 5), dtype=np.uint8), CITYSCAPES19)
    header = (tmp_path / "a.png").read_bytes()[16:26]
    assert header == (5).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes([8, 3])  # 8 bits, palette


def test_random_pseudo_labels_read_back_through_the_table_of_training(tmp_path: Path) -> None:
    label = np.random.default_rng(0).choice(ALL[0], (37, 53))
    write_png(tmp_path / "a.png", label, CITYSCAPES19)
    assert np.array_equal(read_label(tmp_path / "a.png", train_id_table(CITYSCAPES19)), label)


def test_training_knows_exactly_the_train_ids_and_ignore() -> None:
    table = train_id_table(CITYSCAPES19)
    assert np.flatnonzero(table.known).tolist() == [*range(19), 255]
    assert table.train_ids.tolist() == [*range(19), *[255] * 237]


@pytest.mark.parametrize("id_", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a/", "a\\b", "a/../b"])
def test_an_id_that_is_no_plain_file_name_is_refused(tmp_path: Path, id_: str) -> None:
    with pytest.raises(InputError, match="expected a plain file name"):
        png_path(tmp_path, id_)


def test_a_plain_id_names_a_file_right_in_the_folder(tmp_path: Path) -> None:
    for id_ in ("00001", "aachen_000000_000019", "a.b", "..x"):
        assert png_path(tmp_path, id_) == tmp_path / f"{id_}.png"


# -------------------------------------------------------------------------------------------------- the manifest


def _manifest(folder: Path, count: int = 3) -> dict[str, dict[str, dict[str, str]]]:
    files = {}
    for number in range(count):
        path = folder / f"{number}.png"
        write_png(path, np.full((4, 4), number, dtype=np.uint8), CITYSCAPES19)
        files[str(number)] = {"sha256": sha256_of_file(path)}
    return {"files": files}


def test_files_that_are_as_they_were_written_are_handed_out(tmp_path: Path) -> None:
    folder = tmp_path / "pseudo_labels"
    assert checked_files(_manifest(folder), folder) == {str(n): folder / f"{n}.png" for n in range(3)}


def test_every_missing_or_changed_file_is_told_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "pseudo_labels"
    manifest = _manifest(folder)
    (folder / "0.png").unlink()
    write_png(folder / "2.png", np.full((4, 4), 7, dtype=np.uint8), CITYSCAPES19)
    with pytest.raises(InputError) as caught:
        checked_files(manifest, folder)
    message = str(caught.value)
    assert message.startswith("2 pseudo-label(s) differ")
    assert f"{folder / '0.png'}: missing" in message and f"{folder / '2.png'}: changed" in message
    assert "1.png" not in message


def test_an_id_in_the_manifest_cannot_climb_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    with pytest.raises(InputError, match="expected a plain file name"):
        checked_files({"files": {"../secret": {"sha256": "0"}}}, tmp_path / "pseudo_labels")


# ------------------------------------------------------------------------------------------------------- quality


def test_accuracy_and_coverage_worked_by_hand() -> None:
    """Classes 0, 1 and 2; class 2 is neither true nor predicted."""
    quality = Quality(3)
    quality.add(
        truth=np.array([[0, 0, 0, 1], [1, 1, 255, 255]], dtype=np.uint8),
        label=np.array([[0, 0, 255, 0], [1, 255, 1, 255]], dtype=np.uint8),
        maps={
            "label": np.array([[0, 0, 1, 0], [1, 1, 1, 0]], dtype=np.uint8),
            "entropy": np.zeros((2, 4), dtype=np.uint16),
            "confidence": np.zeros((2, 4), dtype=np.uint16),
        },
    )
    quality.add(  # an image without one labelled pixel
        truth=np.full((1, 2), 255, dtype=np.uint8),
        label=np.zeros((1, 2), dtype=np.uint8),
        maps={name: np.zeros((1, 2), dtype=np.uint8) for name in ("label", "entropy", "confidence")},
    )
    summary = quality.summary(ClassSet("three", ("a", "b", "c"), ((0, 0, 0),) * 3))
    assert summary["labelled_images"] == 2
    assert summary["accuracy"] == 3 / 4  # of (0,0) (0,1) (0,3) (1,0) all but (0,3) are right
    assert summary["coverage"] == 4 / 6
    assert summary["classes"] == {
        "a": {"accuracy": 2 / 3, "coverage": 2 / 3},
        "b": {"accuracy": 1.0, "coverage": 2 / 3},
        "c": {"accuracy": None, "coverage": None},
    }
    for measure in ("entropy", "confidence"):  # prediction against truth, kept or not
        assert summary["accuracy_at_coverage"][measure]["1.0"] == 4 / 6


def _histograms(*classes: list[tuple[int, int, int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Per class (code, pixels, rightly predicted pixels)."""
    everything, rightly = np.zeros((2, len(classes), 8), dtype=np.int64)
    for class_, cells in enumerate(classes):
        for code, pixels, right in cells:
            everything[class_, code], rightly[class_, code] = pixels, right
    return everything, rightly


def test_accuracy_at_a_coverage_worked_by_hand() -> None:
    counts = _histograms([(0, 4, 4), (3, 4, 2), (7, 2, 0)], [(5, 10, 5)])
    # half of class 0: code 0 whole (4 of 4), a quarter of code 3 (0.5 of 1); half of class 1: 2.5 of 5
    assert accuracy_at(0.5, *counts, best="low") == pytest.approx((4 + 0.5 + 2.5) / 10)
    # the same from the top: code 7 whole (0 of 2), three quarters of code 3 (1.5 of 3); and 2.5 of 5
    assert accuracy_at(0.5, *counts, best="high") == pytest.approx((0 + 1.5 + 2.5) / 10)
    assert accuracy_at(0.2, *counts, best="low") == pytest.approx((2 + 1) / 4)
    for best in ("low", "high"):
        assert accuracy_at(1.0, *counts, best=best) == pytest.approx(11 / 20)


def test_accuracy_of_nothing_is_undefined() -> None:
    assert accuracy_at(0.5, *_histograms([]), best="low") is None


# ------------------------------------------------------------------------------------------- from maps to labels


def _write_maps(folder: Path, ids: list[str], name: str = "1-of-1.h5") -> tuple[Path, dict[str, dict[str, NDArray]]]:
    """A shard of random maps of 24x16 for ``ids``; what is stored for an id depends on the id alone."""
    maps = {}
    with write_shard(folder / name, len(ids), Origin(CITYSCAPES19.classes, "abc", "bilinear")) as writer:
        for id_ in ids:
            rng = np.random.default_rng(int(id_[-6:]))
            label = rng.integers(0, 19, (16, 24), dtype=np.uint8)
            codes = {key: rng.integers(0, CODES, (16, 24), dtype=np.uint16) for key in ("entropy", "confidence")}
            writer.append(writer.pack(id_, {"probability": np.zeros((19, 4, 6), np.float16), "label": label, **codes}))
            maps[id_] = {"label": label, **codes}
    return folder / name, maps


ESL, BDL = RULES["esl"], RULES["bdl"]


def test_the_pngs_hold_the_selection_and_the_manifest_tells_digests_shares_and_totals(
    tmp_path: Path, small_index: Index
) -> None:
    ids = [sample.id for sample in small_index.samples]
    shards = [_write_maps(tmp_path, ids[::2], "1-of-2.h5"), _write_maps(tmp_path, ids[1::2], "2-of-2.h5")]
    maps = {**shards[0][1], **shards[1][1]}
    folder = tmp_path / "pseudo_labels"
    written = write_pseudo_labels([path for path, _ in shards], [0.4] * 19, ESL, small_index, folder)
    expected = {id_: np.where(m["entropy"] <= 0.4 * TOP, m["label"], IGNORE) for id_, m in maps.items()}
    for id_, label in expected.items():
        assert np.array_equal(np.asarray(Image.open(folder / f"{id_}.png")), label)
        assert written["files"][id_]["kept"] == pytest.approx((label != IGNORE).mean())
    everything = np.stack([*expected.values()])
    counts = np.bincount(everything.ravel(), minlength=256)
    assert [*written["kept_pixels"].items()] == [
        (name, counts[class_]) for class_, name in enumerate(CITYSCAPES19.classes)
    ]
    assert written["kept"] == pytest.approx((everything != IGNORE).mean())
    assert written["images"] == written["quality"]["labelled_images"] == 5
    assert [*written["files"]] == ids
    assert checked_files(json.loads(json.dumps(written)), folder).keys() == {*ids}

    truth = np.stack([read_label(small_index.label(sample), small_index.table()) for sample in small_index.samples])
    everything = np.stack([expected[id_] for id_ in ids])
    chosen = (truth != IGNORE) & (everything != IGNORE)
    assert written["quality"]["accuracy"] == pytest.approx((truth == everything)[chosen].mean())
    assert written["quality"]["coverage"] == pytest.approx(chosen.sum() / (truth != IGNORE).sum())


def test_target_labels_change_the_diagnosis_and_not_one_pseudo_label(tmp_path: Path, small_index: Index) -> None:
    path, _ = _write_maps(tmp_path, [sample.id for sample in small_index.samples])
    unlabelled = [replace(sample, label=None, pixels=None, label_sha256=None) for sample in small_index.samples]
    blind = replace(small_index, samples=unlabelled)
    seeing = write_pseudo_labels([path], [0.5] * 19, BDL, small_index, tmp_path / "a")
    unseeing = write_pseudo_labels([path], [0.5] * 19, BDL, blind, tmp_path / "b")
    assert seeing.pop("quality") is not None and unseeing.pop("quality") is None
    assert seeing == unseeing


def test_pngs_of_an_earlier_run_that_are_no_longer_asked_for_go_away(tmp_path: Path, small_index: Index) -> None:
    path, _ = _write_maps(tmp_path, [sample.id for sample in small_index.samples])
    folder = tmp_path / "pseudo_labels"
    write_png(folder / "stale.png", np.zeros((2, 2), dtype=np.uint8), CITYSCAPES19)
    written = write_pseudo_labels([path], [0.5] * 19, ESL, small_index, folder)
    assert {file.stem for file in folder.iterdir()} == written["files"].keys()


def test_shards_that_do_not_hold_the_samples_of_the_index_are_refused(tmp_path: Path, small_index: Index) -> None:
    ids = [sample.id for sample in small_index.samples]
    missing, _ = _write_maps(tmp_path, ids[:-1], "missing.h5")
    with pytest.raises(InputError, match=f"no maps of 1 samples such as {ids[-1]!r}"):
        write_pseudo_labels([missing], [0.5] * 19, ESL, small_index, tmp_path / "a")
    unknown, _ = _write_maps(tmp_path, [*ids, "bonn_000000_000001"], "unknown.h5")
    with pytest.raises(InputError, match=r"unknown\.h5: holds 'bonn_000000_000001'"):
        write_pseudo_labels([unknown], [0.5] * 19, ESL, small_index, tmp_path / "b")


def test_an_image_in_two_shards_is_refused(tmp_path: Path, small_index: Index) -> None:
    ids = [sample.id for sample in small_index.samples]
    both = [_write_maps(tmp_path, ids, "1-of-2.h5")[0], _write_maps(tmp_path, ids[:1], "2-of-2.h5")[0]]
    with pytest.raises(InputError, match=ids[0]):
        write_pseudo_labels(both, [0.5] * 19, ESL, small_index, tmp_path / "a")
