"""From shards to thresholds to pseudo-labels, through the files between the stages, against one big sorted array."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.files import write_json
from esl.labels.fixed_point import TOP
from esl.labels.rules import RULES
from esl.labels.shard import Origin, write_shard
from esl.stages import gate, pseudo_label, threshold

CLASSES = CLASS_SETS["cityscapes19"].classes
TRAIN = 16  # the class that nobody predicts here

Maps = dict[str, dict[str, NDArray[Any]]]
Run = Callable[[Callable[[], None], str], None]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def run(main: Callable[[], None], flags: str) -> None:
        monkeypatch.setattr(sys, "argv", ["stage", *flags.split()])
        main()

    return run


def _write_shards(folder: Path, ids: list[str], teacher: str = "abc") -> tuple[list[Path], Maps]:
    """Random maps of all ``ids`` in two shards: classes differ in how sure they are."""
    rng = np.random.default_rng(0)
    maps: Maps = {}
    paths = [folder / f"{number}-of-2.h5" for number in (1, 2)]
    for path, part in zip(paths, (ids[::2], ids[1::2]), strict=True):
        with write_shard(path, len(part), Origin(CLASSES, teacher, "bilinear")) as writer:
            for id_ in part:
                label = rng.choice(np.delete(np.arange(19), TRAIN), (16, 24)).astype(np.uint8)
                sure = rng.random((16, 24)) ** (1 + label / 3)
                codes = {"entropy": np.uint16(TOP * sure), "confidence": np.uint16(TOP * (1 - sure / 2))}
                writer.append(
                    writer.pack(id_, {"probability": np.zeros((19, 4, 6), np.float16), "label": label, **codes})
                )
                maps[id_] = {"label": label, **codes}
    return paths, maps


def _expected(name: str, label: NDArray[np.uint8], codes: NDArray[np.uint16]) -> list[tuple[float, float] | None]:
    """Quantile value and threshold of every class."""
    rule, found = RULES[name], []
    for class_ in range(19):
        values = np.sort(codes[label == class_]) / TOP
        if len(values) == 0:
            found.append(None)
            continue
        cut = float(values[min(round(len(values) * rule.quantile), len(values) - 1)])
        found.append((cut, max(cut, rule.bound) if rule.measure == "entropy" else min(cut, rule.bound)))
    return found


@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_the_stages_select_what_one_sorted_array_of_all_pixels_does(
    tmp_path: Path, small_index: Index, run: Run, name: str
) -> None:
    paths, maps = _write_shards(tmp_path / "maps", [sample.id for sample in small_index.samples])
    write_json(tmp_path / "index.json", small_index.to_json())
    shards = " ".join(map(str, paths))
    run(threshold.main, f"--maps {shards} --output {tmp_path / 'thresholds.json'} --rule {name}")
    content = json.loads((tmp_path / "thresholds.json").read_text())

    measure = RULES[name].measure
    assert measure is not None
    label = np.stack([image["label"] for image in maps.values()])
    codes = np.stack([image[measure] for image in maps.values()])
    expected = _expected(name, label, codes)
    assert (content["rule"], content["measure"], content["images"]) == (name, measure, 5)
    assert content["teacher_sha256"] == "abc"
    assert [*content["classes"]] == [*CLASSES]
    bounds = set()
    for class_, (found, cut) in enumerate(zip(content["classes"].values(), expected, strict=True)):
        values = codes[label == class_] / TOP
        assert found["pixels"] == len(values)
        if cut is None:
            assert class_ == TRAIN
            assert found == {"pixels": 0, "quantile_value": None, "threshold": None, "bounded": False, "kept": None}
            continue
        assert (found["quantile_value"], found["threshold"]) == cut
        assert found["bounded"] == (cut[0] != cut[1])
        assert found["kept"] == np.mean(values <= cut[1] if measure == "entropy" else values >= cut[1])
        bounds.add(found["bounded"])
    assert bounds == {True, False}

    flags = f"--maps {shards} --thresholds {tmp_path / 'thresholds.json'} --index {tmp_path / 'index.json'}"
    run(pseudo_label.main, f"{flags} --output {tmp_path / 'pseudo_labels.json'}")
    kept = 0
    for id_, image in maps.items():
        cuts = np.array([np.nan if cut is None else cut[1] for cut in expected])[image["label"]]
        chosen = image[measure] / TOP <= cuts if measure == "entropy" else image[measure] / TOP >= cuts
        mask = np.asarray(Image.open(tmp_path / "pseudo_labels" / f"{id_}.png"))
        assert np.array_equal(mask, np.where(chosen, image["label"], IGNORE))
        kept += chosen.sum()
    manifest = json.loads((tmp_path / "pseudo_labels.json").read_text())
    assert manifest["kept"] == content["kept"] == kept / label.size
    assert (manifest["rule"], manifest["teacher_sha256"]) == (name, "abc")


def test_given_values_take_the_place_of_the_published_ones_and_zero_is_a_value(
    tmp_path: Path, small_index: Index, run: Run
) -> None:
    paths, maps = _write_shards(tmp_path, [sample.id for sample in small_index.samples])
    flags = f"--maps {' '.join(map(str, paths))} --output {tmp_path / 'a.json'} --rule esl --quantile 0 --bound 0"
    run(threshold.main, flags)
    content = json.loads((tmp_path / "a.json").read_text())
    assert (content["quantile"], content["bound"]) == (0, 0)
    label = np.stack([image["label"] for image in maps.values()])
    codes = np.stack([image["entropy"] for image in maps.values()])
    assert content["classes"]["road"]["threshold"] == codes[label == 0].min() / TOP
    assert not content["classes"]["road"]["bounded"]


def test_control_keeps_nothing_through_all_its_files(tmp_path: Path, small_index: Index, run: Run) -> None:
    paths, _ = _write_shards(tmp_path / "maps", [sample.id for sample in small_index.samples])
    write_json(tmp_path / "index.json", small_index.to_json())
    shards = " ".join(map(str, paths))
    run(threshold.main, f"--maps {shards} --output {tmp_path / 'thresholds.json'} --rule control")
    content = json.loads((tmp_path / "thresholds.json").read_text())
    assert content["kept"] == 0 and content["measure"] is None
    assert {found["threshold"] for found in content["classes"].values()} == {None}
    flags = f"--maps {shards} --thresholds {tmp_path / 'thresholds.json'} --index {tmp_path / 'index.json'}"
    run(pseudo_label.main, f"{flags} --output {tmp_path / 'pseudo_labels.json'}")
    for sample in small_index.samples:
        assert (np.asarray(Image.open(tmp_path / "pseudo_labels" / f"{sample.id}.png")) == IGNORE).all()
    manifest = json.loads((tmp_path / "pseudo_labels.json").read_text())
    assert manifest["kept"] == 0 == manifest["quality"]["coverage"] and manifest["quality"]["accuracy"] is None


def test_thresholds_of_another_teacher_are_refused(tmp_path: Path, small_index: Index, run: Run) -> None:
    ids = [sample.id for sample in small_index.samples]
    paths, _ = _write_shards(tmp_path / "a", ids)
    others, _ = _write_shards(tmp_path / "b", ids, teacher="def")
    write_json(tmp_path / "index.json", small_index.to_json())
    run(threshold.main, f"--maps {' '.join(map(str, paths))} --output {tmp_path / 'thresholds.json'} --rule esl")
    flags = f"--thresholds {tmp_path / 'thresholds.json'} --index {tmp_path / 'index.json'}"
    with pytest.raises(InputError, match=r"thresholds\.json: of another teacher"):
        run(pseudo_label.main, f"--maps {' '.join(map(str, others))} {flags} --output {tmp_path / 'p.json'}")
    with pytest.raises(InputError, match="different models"):
        run(threshold.main, f"--maps {paths[0]} {others[1]} --output {tmp_path / 't.json'} --rule esl")
    assert not (tmp_path / "p.json").exists() and not (tmp_path / "t.json").exists()


def _collapsed(folder: Path) -> Path:
    """Maps of a teacher that predicts nothing but roads, and is sure of it."""
    road = {"label": np.zeros((16, 24), np.uint8), "entropy": np.zeros((16, 24), np.uint16)}
    road |= {"confidence": np.full((16, 24), TOP, np.uint16), "probability": np.zeros((19, 4, 6), np.float16)}
    with write_shard(folder / "1-of-1.h5", 1, Origin(CLASSES, "abc", "bilinear")) as writer:
        writer.append(writer.pack("a", road))
    return folder / "1-of-1.h5"


@pytest.mark.parametrize("action", ["stop", "warn"])
def test_the_gate_stops_a_collapsed_teacher_or_warns_of_it_as_it_is_told(
    tmp_path: Path, small_index: Index, run: Run, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    paths, _ = _write_shards(tmp_path / "sound", [sample.id for sample in small_index.samples])
    before, now = (tmp_path / f"esl-round{n}/thresholds.json" for n in (1, 2))
    run(threshold.main, f"--maps {' '.join(map(str, paths))} --output {before} --rule esl")
    run(threshold.main, f"--maps {_collapsed(tmp_path)} --output {now} --rule esl")
    sound = tmp_path / "esl-round1/gate.json"
    run(gate.main, f"--thresholds {before} --output {sound} --action {action}")
    assert json.loads(sound.read_text())["objections"] == []
    output = tmp_path / "esl-round2/gate.json"
    flags = f"--thresholds {now} --before {before} --output {output} --action {action}"
    if action == "stop":
        with pytest.raises(InputError, match="esl-round2 is not trained, since the teacher predicts nothing"):
            run(gate.main, flags)
        assert not output.exists()
        return
    run(gate.main, flags)
    assert len(json.loads(output.read_text())["objections"]) == 4
    assert "warning: esl-round2: 100.0% of all pixels are kept" in capsys.readouterr().err


def test_the_mean_entropy_is_that_of_all_stored_codes(tmp_path: Path, small_index: Index, run: Run) -> None:
    paths, maps = _write_shards(tmp_path, [sample.id for sample in small_index.samples])
    run(threshold.main, f"--maps {' '.join(map(str, paths))} --output {tmp_path / 'a.json'} --rule bdl")
    expected = np.mean([image["entropy"] for image in maps.values()]) / TOP
    assert json.loads((tmp_path / "a.json").read_text())["mean_entropy"] == pytest.approx(expected, rel=1e-12)
