"""The comparison of measures over sets of maps, against the pixels themselves."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.files import read_json, write_json
from esl.labels.fixed_point import TOP
from esl.labels.shard import Origin, write_shard
from esl.stages.confidence import main

CLASSES = CLASS_SETS["cityscapes19"].classes


def _write(folder: Path, index: Index, noise: float, views: tuple[str | float, ...] = ()) -> NDArray[Any]:
    """Two shards whose predictions are mostly right, and surer where they are; (2, P): the code and whether right."""
    rng, rows = np.random.default_rng(0), []
    for number in (1, 2):
        part = index.samples[number - 1 :: 2]
        origin = Origin(CLASSES, "abc0" * 16, "bilinear", views)
        path = folder / f"{number}-of-2.h5"
        with write_shard(path, len(part), origin, stored=["confidence"], counted=["confidence"]) as writer:
            for sample in part:
                truth = index.read_label(sample)
                right = (rng.random(truth.shape) < 0.7) & (truth != IGNORE)
                label = np.where(right, truth, (truth + 1) % 19).astype(np.uint8)
                code = (TOP * np.clip(0.3 + 0.4 * right + noise * rng.random(truth.shape), 0, 1)).astype(np.uint16)
                maps = {"probability": np.zeros((19, 4, 6), np.float16), "label": label, "confidence": code}
                writer.append(writer.pack(sample.id, maps))
                rows.append(np.stack([code, right])[:, truth != IGNORE])
    return np.concatenate(rows, axis=1)


def _run(tmp_path: Path, index: Index, *maps: Path) -> dict[str, Any]:
    write_json(tmp_path / "index.json", index.to_json())
    outputs = ["--output", str(tmp_path / "confidence.json"), "--table", str(tmp_path / "confidence.md")]
    main(["--maps", *map(str, maps), "--index", str(tmp_path / "index.json"), *outputs])
    return read_json(tmp_path / "confidence.json")


def test_sets_of_maps_stand_next_to_each_other_with_the_figures_of_their_pixels(
    tmp_path: Path, small_index: Index
) -> None:
    plain, averaged = tmp_path / "plain", tmp_path / "averaged"
    pixels = {plain: _write(plain, small_index, 0.6), averaged: _write(averaged, small_index, 0.45, ("flip", 0.75))}
    content = _run(tmp_path, small_index, plain, averaged / "1-of-2.h5", averaged / "2-of-2.h5")
    assert content["labelled_images"] == 5 and [*content["maps"]] == [plain.as_posix(), averaged.as_posix()]
    for folder, (code, right) in pixels.items():
        entry = content["maps"][folder.as_posix()]
        wrong = 1 - right[np.argsort(-code.astype(np.int64), kind="stable")]
        figures = entry["measures"]["confidence"]
        assert entry["accuracy"] == pytest.approx(right.mean())
        risk = np.cumsum(wrong) / np.arange(1, len(wrong) + 1)
        assert figures["aurc"] == pytest.approx(risk.mean(), abs=1e-3)  # ties are rare
        assert figures["augrc"] == pytest.approx((np.cumsum(wrong) / len(wrong)).mean(), abs=1e-3)
        assert figures["accuracy"]["0.5"] == pytest.approx(1 - wrong[: len(wrong) // 2].mean(), abs=1e-3)
        assert figures["classes"].keys() == {*CLASSES}
    assert [entry["views"] for entry in content["maps"].values()] == [[], ["flip", 0.75]]
    lines = (tmp_path / "confidence.md").read_text().splitlines()
    augrc = content["maps"][averaged.as_posix()]["measures"]["confidence"]["augrc"]
    assert lines[3].startswith(f"| {averaged.as_posix()} | plain, flip, 0.75 | confidence | {1000 * augrc:.1f} | ")
    assert {line.count("|") for line in lines[:4]} == {12}


def test_maps_that_do_not_cover_the_labels_are_refused(tmp_path: Path, small_index: Index) -> None:
    _write(tmp_path / "maps", small_index, 0.5)
    with pytest.raises(InputError, match=r"maps: no maps of 2 labelled samples such as .*; name all shards"):
        _run(tmp_path, small_index, tmp_path / "maps/1-of-2.h5")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no maps \(\*\.h5\) here"):
        _run(tmp_path, small_index, tmp_path / "empty")
    assert not (tmp_path / "confidence.json").exists()
