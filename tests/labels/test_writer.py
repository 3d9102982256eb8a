"""From shards to pseudo-label PNGs, their manifest and its diagnosis."""

import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.labels.fixed_point import CODES, TOP
from esl.labels.manifest import PseudoLabels
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.build import build_method
from esl.labels.png import checked_files, write_png
from esl.labels.shard import Origin, write_shard
from esl.labels.writer import Labelling, write_pseudo_labels
from tests.contents import DIGEST

CITYSCAPES19 = CLASS_SETS["cityscapes19"]


def _write_maps(folder: Path, ids: list[str], name: str = "1-of-1.h5") -> tuple[Path, dict[str, dict[str, NDArray]]]:
    """A shard of random maps of 24x16 for ``ids``; the maps of an id depend on the id alone."""
    maps = {}
    origin, measures = Origin(CITYSCAPES19.classes, "abc", "bilinear"), ("entropy", "confidence")
    stored = {*measures, "probability"}
    with write_shard(folder / name, len(ids), origin, stored=stored, counted=measures) as writer:
        for id_ in ids:
            rng = np.random.default_rng(int(id_[-6:]))
            label = rng.integers(0, 19, (16, 24), dtype=np.uint8)
            codes = {key: rng.integers(0, CODES, (16, 24), dtype=np.uint16) for key in ("entropy", "confidence")}
            writer.append(writer.pack(id_, {"probability": np.zeros((19, 4, 6), np.float16), "label": label, **codes}))
            maps[id_] = {"label": label, **codes}
    return folder / name, maps


ESL, BDL = build_method("esl"), build_method("bdl")


def test_the_pngs_hold_the_selection_and_the_manifest_holds_digests_shares_and_totals(
    tmp_path: Path, small_index: Index
) -> None:
    ids = [sample.id for sample in small_index.samples]
    shards = [_write_maps(tmp_path, ids[::2], "1-of-2.h5"), _write_maps(tmp_path, ids[1::2], "2-of-2.h5")]
    maps = {**shards[0][1], **shards[1][1]}
    folder = tmp_path / "pseudo_labels"
    written = write_pseudo_labels(Labelling([path for path, _ in shards], [0.4] * 19, ESL, small_index, folder), DIGEST)
    expected = {id_: np.where(m["entropy"] <= 0.4 * TOP, m["label"], IGNORE) for id_, m in maps.items()}
    for id_, label in expected.items():
        assert np.array_equal(np.asarray(Image.open(folder / f"{id_}.png")), label)
        assert written.files[id_].kept == pytest.approx((label != IGNORE).mean())
    everything = np.stack([*expected.values()])
    counts = np.bincount(everything.ravel(), minlength=256)
    assert [*written.kept_pixels.items()] == [
        (name, counts[class_]) for class_, name in enumerate(CITYSCAPES19.classes)
    ]
    assert written.kept == pytest.approx((everything != IGNORE).mean())
    assert written.quality is not None
    assert written.images == written.quality.labelled_images == 5
    assert [*written.files] == ids
    assert checked_files(
        PseudoLabels.model_validate(json.loads(json.dumps(written.to_json()))).files, folder
    ).keys() == {*ids}

    truth = np.stack([small_index.read_label(sample) for sample in small_index.samples])
    everything = np.stack([expected[id_] for id_ in ids])
    chosen = (truth != IGNORE) & (everything != IGNORE)
    assert written.quality.accuracy == pytest.approx((truth == everything)[chosen].mean())
    assert written.quality.coverage == pytest.approx(chosen.sum() / (truth != IGNORE).sum())


def test_target_labels_change_the_diagnosis_and_not_one_pseudo_label(tmp_path: Path, small_index: Index) -> None:
    path, _ = _write_maps(tmp_path, [sample.id for sample in small_index.samples])
    unlabelled = [replace(sample, label=None, pixels=None, label_sha256=None) for sample in small_index.samples]
    blind = replace(small_index, samples=unlabelled)
    with_labels = write_pseudo_labels(Labelling([path], [0.5] * 19, BDL, small_index, tmp_path / "a"), DIGEST)
    without_labels = write_pseudo_labels(Labelling([path], [0.5] * 19, BDL, blind, tmp_path / "b"), DIGEST)
    assert with_labels.quality is not None and without_labels.quality is None
    assert with_labels.model_copy(update={"quality": None}) == without_labels


def test_pngs_of_an_earlier_run_that_are_no_longer_needed_are_removed(tmp_path: Path, small_index: Index) -> None:
    path, _ = _write_maps(tmp_path, [sample.id for sample in small_index.samples])
    folder = tmp_path / "pseudo_labels"
    write_png(folder / "stale.png", np.zeros((2, 2), dtype=np.uint8), CITYSCAPES19)
    written = write_pseudo_labels(Labelling([path], [0.5] * 19, ESL, small_index, folder), DIGEST)
    assert {file.stem for file in folder.iterdir()} == written.files.keys()


def test_shards_that_do_not_hold_the_samples_of_the_index_are_refused(tmp_path: Path, small_index: Index) -> None:
    ids = [sample.id for sample in small_index.samples]
    missing, _ = _write_maps(tmp_path, ids[:-1], "missing.h5")
    with pytest.raises(InputError, match=f"no maps of 1 samples such as {ids[-1]!r}"):
        write_pseudo_labels(Labelling([missing], [0.5] * 19, ESL, small_index, tmp_path / "a"), DIGEST)
    unknown, _ = _write_maps(tmp_path, [*ids, "bonn_000000_000001"], "unknown.h5")
    with pytest.raises(InputError, match=r"unknown\.h5: holds 'bonn_000000_000001'"):
        write_pseudo_labels(Labelling([unknown], [0.5] * 19, ESL, small_index, tmp_path / "b"), DIGEST)


def test_an_image_in_two_shards_is_refused(tmp_path: Path, small_index: Index) -> None:
    ids = [sample.id for sample in small_index.samples]
    both = [_write_maps(tmp_path, ids, "1-of-2.h5")[0], _write_maps(tmp_path, ids[:1], "2-of-2.h5")[0]]
    with pytest.raises(InputError, match=ids[0]):
        write_pseudo_labels(Labelling(both, [0.5] * 19, ESL, small_index, tmp_path / "a"), DIGEST)


def test_a_new_measure_is_ranked_in_its_own_direction_and_an_unknown_one_is_an_error(
    tmp_path: Path, small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The measure is 0 where the prediction is correct, 1 elsewhere: which half is surest depends on ``sure``."""
    with write_shard(
        tmp_path / "1-of-1.h5", 5, Origin(CITYSCAPES19.classes, "abc", "bilinear"),
        stored=["entropy", "luck"], counted=["entropy", "luck"],
    ) as writer:  # fmt: skip
        for sample in small_index.samples:
            truth = small_index.read_label(sample)
            label = np.where(truth == IGNORE, 0, truth)
            label[::2] = (label[::2] + 1) % 19
            codes = np.where(label == truth, 0, TOP).astype(np.uint16)
            maps = {"label": label, "entropy": codes, "luck": codes, "probability": np.zeros((19, 4, 6), np.float16)}
            writer.append(writer.pack(sample.id, maps))
    arguments = [tmp_path / "1-of-1.h5"], [0.5] * 19, ESL, small_index, tmp_path / "pseudo_labels"
    with pytest.raises(InputError, match="measure: expected one of entropy, confidence, margin, but got 'luck'"):
        write_pseudo_labels(Labelling(*arguments), DIGEST)

    module = ModuleType("measure_of_a_test")
    module.Luck = type("Luck", (), {"name": "luck", "sure": "high"})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(MEASURES, "luck", f"{module.__name__}:Luck")
    accuracy = write_pseudo_labels(Labelling(*arguments), DIGEST).quality.accuracy_at_coverage
    assert [*accuracy] == ["entropy", "luck"]
    assert accuracy["entropy"]["0.1"] == 1 and accuracy["luck"]["0.1"] == 0
    assert accuracy["entropy"]["1.0"] == accuracy["luck"]["1.0"]
