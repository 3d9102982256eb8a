"""Fixed thresholds: the cuts of the settings, class by class, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.errors import InputError
from esl.labels.fixed_point import CODES
from esl.labels.methods.build import build_method
from esl.labels.shard import Origin, write_shard
from esl.stages import threshold
from tests.contents import DIGEST

CLASSES = ("road", "car", "sky")


def test_each_class_is_cut_where_the_settings_say_and_null_keeps_nothing() -> None:
    settings = {"measure": "confidence", "threshold": 0.5, "classes": {"car": 0.9, "sky": None}}
    fixed = build_method("fixed", settings, CLASSES)
    assert fixed.maps == ("label", "confidence")
    counts = np.zeros((3, CODES), dtype=np.int64)
    counts[:, [30000, 40000, 60000]] = [1, 10, 100]  # of probabilities 0.458, 0.61 and 0.916
    thresholds = fixed.thresholds({"confidence": counts}, 1)
    assert [(entry.pixels, entry.value, entry.kept) for entry in thresholds] == [
        (111, 0.5, 110), (111, 0.9, 100), (111, None, 0),
    ]  # fmt: skip
    label = np.repeat(np.arange(3, dtype=np.uint8)[:, None], 3, axis=1)
    codes = np.tile(np.array([30000, 40000, 60000], np.uint16), (3, 1))
    kept = fixed.label({"label": label, "confidence": codes}, [entry.value for entry in thresholds])
    assert kept.tolist() == [[IGNORE, 0, 0], [IGNORE, IGNORE, 1], [IGNORE, IGNORE, IGNORE]]


def test_low_entropy_is_kept_and_a_class_that_is_not_predicted_has_no_threshold() -> None:
    counts = np.zeros((2, CODES), dtype=np.int64)
    counts[0, [6553, 6554]] = 1  # 0.09999 and 0.10001
    first, second = build_method("fixed").thresholds({"entropy": counts}, 2)
    assert (first.value, first.kept, second.value, second.kept) == (0.1, 1, None, 0)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"measure": "gini"}, r"methods\.fixed\.measure: expected one of entropy, confidence, margin, but got 'gini'"),
        ({"threshold": 1.5}, r"methods\.fixed\.threshold"),
        ({"classes": {"car": -1.0}}, r"methods\.fixed\.classes\.car"),
        ({"classes": {"rod": 0.5}}, r"methods\.fixed\.classes: unknown class 'rod'; did you mean 'road'\?"),
    ],
)
def test_what_does_not_exist_is_refused_by_its_key(settings: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        build_method("fixed", settings, CLASSES)


def test_the_stage_knows_the_classes_of_the_maps(tmp_path: Path) -> None:
    classes = CLASS_SETS["cityscapes19"].classes
    maps = {"label": np.zeros((2, 2), np.uint8), "probability": np.zeros((19, 1, 1), np.float16)}
    maps["entropy"] = np.array([[0, 9], [9, 9]], np.uint16)
    shard = tmp_path / "1-of-1.h5"
    with write_shard(shard, 1, Origin(classes, DIGEST, "x"), stored=["entropy"], counted=["entropy"]) as writer:
        writer.append(writer.pack("a", maps))
    for name, kept in (("road", 0.25), ("car", 1.0)):
        chosen = {"method": "fixed", "parameters": {"threshold": 0.5, "classes": {name: 0}}}
        flags = ["--maps", str(shard), "--output", str(tmp_path / "a.json"), "--settings", json.dumps(chosen)]
        threshold.main(flags)
        assert json.loads((tmp_path / "a.json").read_text())["kept"] == kept
    chosen["parameters"] = {"classes": {"caar": 0.1}}
    with pytest.raises(InputError, match="unknown class 'caar'; did you mean 'car'"):
        threshold.main([*flags[:-1], json.dumps(chosen)])
