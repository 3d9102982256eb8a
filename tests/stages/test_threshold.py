"""From shards to thresholds to pseudo-labels, through the files between the stages, against one big sorted array."""

import json
import subprocess
import sys
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
from esl.files import read_json, write_json
from esl.labels.fixed_point import TOP
from esl.labels.methods.build import build_method
from esl.labels.methods.quantile import QuantileMethod
from esl.labels.shard import Origin, write_shard
from esl.stages import gate, pseudo_label, threshold

CLASSES = CLASS_SETS["cityscapes19"].classes
TEACHER = "abc0" * 16
"""The digest of a checkpoint."""
TRAIN = 16  # the class that nobody predicts here

Maps = dict[str, dict[str, NDArray[Any]]]
STORED = {"stored": ("entropy", "confidence", "probability"), "counted": ("entropy", "confidence")}


def _threshold(shards: list[Path], output: Path, method: str, **settings: Any) -> dict[str, Any]:
    """Runs the stage and returns the content of thresholds.json."""
    chosen = json.dumps({"method": method, **settings})
    threshold.main(["--maps", *map(str, shards), "--output", str(output), "--settings", chosen])
    return read_json(output)


def _pseudo_label(shards: list[Path], thresholds: Path, index: Path, output: Path) -> dict[str, Any]:
    """Runs the stage and returns the manifest."""
    flags = ["--thresholds", str(thresholds), "--index", str(index), "--output", str(output)]
    pseudo_label.main(["--maps", *map(str, shards), *flags])
    return read_json(output)


def _write_shards(
    folder: Path, ids: list[str], teacher: str = TEACHER, views: tuple[str | float, ...] = ()
) -> tuple[list[Path], Maps]:
    """Random maps of all ``ids`` in two shards: classes differ in how sure they are."""
    rng = np.random.default_rng(0)
    maps: Maps = {}
    paths = [folder / f"{number}-of-2.h5" for number in (1, 2)]
    for path, part in zip(paths, (ids[::2], ids[1::2]), strict=True):
        with write_shard(path, len(part), Origin(CLASSES, teacher, "bilinear", views), **STORED) as writer:
            for id_ in part:
                label = rng.choice(np.delete(np.arange(19), TRAIN), (16, 24)).astype(np.uint8)
                sure = rng.random((16, 24)) ** (1 + label / 3)
                codes = {"entropy": np.uint16(TOP * sure), "confidence": np.uint16(TOP * (1 - sure / 2))}
                writer.append(
                    writer.pack(id_, {"probability": np.zeros((19, 4, 6), np.float16), "label": label, **codes})
                )
                maps[id_] = {"label": label, **codes}
    return paths, maps


def _expected(
    method: QuantileMethod, label: NDArray[np.uint8], codes: NDArray[np.uint16]
) -> list[tuple[float, float] | None]:
    """Quantile value and threshold of every class."""
    expected: list[tuple[float, float] | None] = []
    for class_ in range(19):
        values = np.sort(codes[label == class_]) / TOP
        if len(values) == 0:
            expected.append(None)
            continue
        cut = float(values[min(round(len(values) * method.settings.quantile), len(values) - 1)])
        bound = method.settings.bound
        expected.append((cut, max(cut, bound) if method.name == "esl" else min(cut, bound)))
    return expected


@pytest.mark.parametrize("name", ["esl", "bdl", "fda"])
def test_the_stages_select_what_one_sorted_array_of_all_pixels_does(
    tmp_path: Path, small_index: Index, name: str
) -> None:
    shards, maps = _write_shards(tmp_path / "maps", [sample.id for sample in small_index.samples])
    write_json(tmp_path / "index.json", small_index.to_json())
    content = _threshold(shards, tmp_path / "thresholds.json", name)

    method = build_method(name)
    assert isinstance(method, QuantileMethod)
    measure = {"esl": "entropy", "bdl": "confidence", "fda": "confidence"}[name]
    label = np.stack([image["label"] for image in maps.values()])
    codes = np.stack([image[measure] for image in maps.values()])
    expected = _expected(method, label, codes)
    assert (content["method"], content["measure"], content["images"]) == (name, measure, 5)
    assert (content["round"], content["parameters"]) == (1, method.settings.parameters())
    assert content["teacher_sha256"] == TEACHER
    assert [*content["classes"]] == [*CLASSES]
    bounds = set()
    for class_, (entry, cut) in enumerate(zip(content["classes"].values(), expected, strict=True)):
        values = codes[label == class_] / TOP
        assert entry["pixels"] == len(values)
        if cut is None:
            assert class_ == TRAIN
            assert entry == {"pixels": 0, "quantile_value": None, "threshold": None, "bounded": False, "kept": None}
            continue
        assert (entry["quantile_value"], entry["threshold"]) == cut
        assert entry["bounded"] == (cut[0] != cut[1])
        assert entry["kept"] == np.mean(values <= cut[1] if measure == "entropy" else values >= cut[1])
        bounds.add(entry["bounded"])
    assert bounds == {True, False}

    manifest = _pseudo_label(
        shards, tmp_path / "thresholds.json", tmp_path / "index.json", tmp_path / "pseudo_labels.json"
    )
    kept = 0
    for id_, image in maps.items():
        cuts = np.array([np.nan if cut is None else cut[1] for cut in expected])[image["label"]]
        chosen = image[measure] / TOP <= cuts if measure == "entropy" else image[measure] / TOP >= cuts
        mask = np.asarray(Image.open(tmp_path / "pseudo_labels" / f"{id_}.png"))
        assert np.array_equal(mask, np.where(chosen, image["label"], IGNORE))
        kept += chosen.sum()
    assert manifest["kept"] == content["kept"] == kept / label.size
    assert (manifest["method"], manifest["teacher_sha256"]) == (name, TEACHER)


def test_parameters_of_the_config_replace_the_published_ones_even_if_they_are_zero(
    tmp_path: Path, small_index: Index
) -> None:
    shards, maps = _write_shards(tmp_path, [sample.id for sample in small_index.samples])
    content = _threshold(shards, tmp_path / "a.json", "esl", parameters={"quantile": 0, "bound": 0})
    assert content["parameters"] == {"quantile": 0, "bound": 0}
    label = np.stack([image["label"] for image in maps.values()])
    codes = np.stack([image["entropy"] for image in maps.values()])
    assert content["classes"]["road"]["threshold"] == codes[label == 0].min() / TOP
    assert not content["classes"]["road"]["bounded"]


def test_the_pseudo_labels_are_of_the_method_and_the_parameters_in_thresholds_json(
    tmp_path: Path, small_index: Index
) -> None:
    """In a second round CBST keeps a larger portion; both stages must agree on it."""
    shards, _ = _write_shards(tmp_path / "maps", [sample.id for sample in small_index.samples])
    write_json(tmp_path / "index.json", small_index.to_json())
    kept = []
    for round_ in (1, 2):
        thresholds = tmp_path / f"cbst-round{round_}/thresholds.json"
        content = _threshold(shards, thresholds, "cbst", round=round_, parameters={"portion_step": 0.2})
        assert (content["method"], content["measure"], content["round"]) == ("cbst", "confidence", round_)
        assert content["parameters"] == {"portion": 0.2, "portion_step": 0.2, "portion_max": 0.5}
        kept.append(content["kept"])
    assert kept == pytest.approx([0.2, 0.4], abs=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"method": "esk"}, r"expected one of esl, bdl, fda, cbst, sac, fixed, control, but got 'esk'"),
        ({"method": "esl", "parameters": {"portion": 0.2}}, r"methods\.esl\.portion"),
        ({"method": "esl", "parameters": {"bound": 2}}, r"methods\.esl\.bound: .* less than or equal to 1"),
        ({"method": "esl", "round": 0}, r"round: .* greater than or equal to 1"),
        ({"rule": "esl"}, r"method: .*\n.*rule"),
    ],
)
def test_settings_that_the_stage_does_not_take_are_refused_by_name(
    tmp_path: Path, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        threshold.main(["--maps", "a.h5", "--output", str(tmp_path / "a.json"), "--settings", json.dumps(settings)])


def test_control_keeps_nothing_through_all_its_files(tmp_path: Path, small_index: Index) -> None:
    shards, _ = _write_shards(tmp_path / "maps", [sample.id for sample in small_index.samples])
    write_json(tmp_path / "index.json", small_index.to_json())
    content = _threshold(shards, tmp_path / "thresholds.json", "control")
    assert content["kept"] == 0 and content["measure"] is None
    assert {entry["threshold"] for entry in content["classes"].values()} == {None}
    manifest = _pseudo_label(
        shards, tmp_path / "thresholds.json", tmp_path / "index.json", tmp_path / "pseudo_labels.json"
    )
    for sample in small_index.samples:
        assert (np.asarray(Image.open(tmp_path / "pseudo_labels" / f"{sample.id}.png")) == IGNORE).all()
    assert manifest["kept"] == 0 == manifest["quality"]["coverage"] and manifest["quality"]["accuracy"] is None


def test_thresholds_of_another_teacher_are_refused(tmp_path: Path, small_index: Index) -> None:
    ids = [sample.id for sample in small_index.samples]
    shards, _ = _write_shards(tmp_path / "a", ids)
    others, _ = _write_shards(tmp_path / "b", ids, teacher="def0" * 16)
    write_json(tmp_path / "index.json", small_index.to_json())
    _threshold(shards, tmp_path / "thresholds.json", "esl")
    with pytest.raises(InputError, match=r"thresholds\.json: made with another teacher"):
        _pseudo_label(others, tmp_path / "thresholds.json", tmp_path / "index.json", tmp_path / "p.json")
    with pytest.raises(InputError, match="different models"):
        _threshold([shards[0], others[1]], tmp_path / "t.json", "esl")
    assert not (tmp_path / "p.json").exists() and not (tmp_path / "t.json").exists()


def test_maps_of_other_views_are_another_origin(tmp_path: Path, small_index: Index) -> None:
    ids = [sample.id for sample in small_index.samples]
    plain, _ = _write_shards(tmp_path / "a", ids)
    averaged, _ = _write_shards(tmp_path / "b", ids, views=("flip", 0.75))
    write_json(tmp_path / "index.json", small_index.to_json())
    assert "views" not in _threshold(plain, tmp_path / "plain.json", "esl")
    assert _threshold(averaged, tmp_path / "averaged.json", "esl")["views"] == ["flip", 0.75]
    with pytest.raises(InputError, match="different models or views"):
        _threshold([plain[0], averaged[1]], tmp_path / "t.json", "esl")
    for maps, thresholds in ((plain, "averaged"), (averaged, "plain")):
        with pytest.raises(InputError, match=r"made with another teacher or other views"):
            _pseudo_label(maps, tmp_path / f"{thresholds}.json", tmp_path / "index.json", tmp_path / "p.json")
    _pseudo_label(averaged, tmp_path / "averaged.json", tmp_path / "index.json", tmp_path / "p.json")


def test_sac_says_what_it_keeps_once_images_are_labelled_and_the_gate_says_that_it_does_not_know(
    tmp_path: Path, small_index: Index, capsys: pytest.CaptureFixture[str]
) -> None:
    shards, _ = _write_shards(tmp_path / "maps", [sample.id for sample in small_index.samples])
    write_json(tmp_path / "index.json", small_index.to_json())
    thresholds = tmp_path / "sac-round1/thresholds.json"
    content = _threshold(shards, thresholds, "sac")
    assert content["kept"] is None and content["classes"]["road"]["kept"] is None
    assert content["classes"]["train"]["kept"] is None and content["classes"]["train"]["threshold"] is None
    gated = read_json(_gate(thresholds, "stop"))
    assert gated["objections"] == [] and len(gated["unchecked"]) == 1
    assert "not checked: sac-round1: the kept share" in capsys.readouterr().err
    manifest = _pseudo_label(shards, thresholds, tmp_path / "index.json", tmp_path / "pseudo_labels.json")
    labels = [np.asarray(Image.open(tmp_path / "pseudo_labels" / f"{sample.id}.png")) for sample in small_index.samples]
    assert manifest["kept"] == np.mean(np.stack(labels) != IGNORE) and 0.1 < manifest["kept"] < 0.99


def _collapsed(folder: Path) -> Path:
    """Maps of a teacher that predicts only roads, and is sure of it."""
    road = {"label": np.zeros((16, 24), np.uint8), "entropy": np.zeros((16, 24), np.uint16)}
    road |= {"confidence": np.full((16, 24), TOP, np.uint16), "probability": np.zeros((19, 4, 6), np.float16)}
    with write_shard(folder / "1-of-1.h5", 1, Origin(CLASSES, TEACHER, "bilinear"), **STORED) as writer:
        writer.append(writer.pack("a", road))
    return folder / "1-of-1.h5"


def _gate(thresholds: Path, action: str, previous: Path | None = None) -> Path:
    """Runs the stage; the path of gate.json."""
    output = thresholds.with_name("gate.json")
    flags = [] if previous is None else ["--previous", str(previous)]
    settings = json.dumps({"action": action})
    gate.main(["--thresholds", str(thresholds), *flags, "--output", str(output), "--settings", settings])
    return output


@pytest.mark.parametrize("action", ["stop", "warn", "ignore"])
def test_the_gate_stops_a_collapsed_teacher_or_warns_of_it_as_the_settings_say(
    tmp_path: Path, small_index: Index, capsys: pytest.CaptureFixture[str], action: str
) -> None:
    shards, _ = _write_shards(tmp_path / "sound", [sample.id for sample in small_index.samples])
    previous, now = (tmp_path / f"esl-round{n}/thresholds.json" for n in (1, 2))
    _threshold(shards, previous, "esl")
    _threshold([_collapsed(tmp_path)], now, "esl", round=2)
    assert read_json(_gate(previous, action))["objections"] == []
    if action == "stop":
        with pytest.raises(InputError, match="esl-round2 is not trained: the teacher predicts only 'road'"):
            _gate(now, action, previous)
        assert not now.with_name("gate.json").exists()
        return
    content = read_json(_gate(now, action, previous))
    assert len(content["objections"]) == 4
    bounds = {"kept_min": 0.05, "kept_max": 0.95, "class_min": 0.0001, "entropy_min": 0.1}
    assert (content["action"], content["gate"]) == (action, bounds)
    warned = "warning: esl-round2: 100.0% of all pixels are kept" in capsys.readouterr().err
    assert warned == (action == "warn")


def test_the_mean_entropy_is_that_of_all_stored_codes(tmp_path: Path, small_index: Index) -> None:
    shards, maps = _write_shards(tmp_path, [sample.id for sample in small_index.samples])
    expected = np.mean([image["entropy"] for image in maps.values()]) / TOP
    assert _threshold(shards, tmp_path / "a.json", "bdl")["mean_entropy"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", ["threshold", "gate", "pseudo_label", "viewer"])
def test_stages_that_only_read_maps_start_without_pytorch(name: str) -> None:
    program = f"import sys, esl.stages.{name}; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
