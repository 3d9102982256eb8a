"""The objections of the gate, worked by hand."""

from typing import Any

import pytest

from esl.labels import gate
from esl.labels.gate import GateSettings
from esl.labels.thresholds import Thresholds
from tests.contents import DIGEST


def objections(*arguments: Any) -> list[str]:
    """The lines of the objections."""
    return list(map(str, gate.objections(*arguments)))


def _thresholds(
    pixels: dict[str, int],
    kept: float | None = 0.6,
    entropy: float = 0.1,
    measure: str | None = "entropy",
    method: str = "esl",
) -> Thresholds:
    rest = {"quantile_value": None, "threshold": None, "bounded": False, "kept": None}
    return Thresholds.model_validate(
        {
            "method": method,
            "measure": measure,
            "round": 1,
            "parameters": {},
            "images": 1,
            "teacher_sha256": DIGEST,
            "mean_entropy": entropy,
            "kept": kept,
            "classes": {name: {"pixels": count, **rest} for name, count in pixels.items()},
        }
    )


SOUND = _thresholds({"road": 500_000, "sky": 499_000, "train": 1_000})


def test_a_sound_teacher_passes_alone_and_after_another() -> None:
    assert objections(SOUND, None, GateSettings()) == objections(SOUND, SOUND, GateSettings()) == []


@pytest.mark.parametrize(("kept", "passes"), [(0.049, False), (0.05, True), (0.95, True), (0.951, False)])
def test_the_kept_share_must_be_within_its_bounds(kept: float, passes: bool) -> None:
    reasons = objections(_thresholds({"road": 9, "sky": 1}, kept), None, GateSettings())
    assert (reasons == []) == passes
    if not passes:
        assert reasons == [f"{kept:.1%} of all pixels are kept, which is outside of [5.0%, 95.0%]"]


def test_the_control_keeps_nothing_on_purpose() -> None:
    assert objections(_thresholds({"road": 9, "sky": 1}, 0.0, measure=None), None, GateSettings()) == []


def test_a_share_that_is_unknown_before_images_are_labelled_is_named_as_not_checked() -> None:
    unknown = _thresholds({"road": 9, "sky": 1}, None, method="sac")
    assert objections(unknown, None, GateSettings()) == []
    (question,) = gate.unchecked(unknown)
    assert str(question) == "the kept share: thresholds of sac depend on the image, so pseudo_labels.json has it"
    assert gate.unchecked(SOUND) == []


def test_a_teacher_of_one_class_is_refused_even_in_the_first_round() -> None:
    reasons = objections(_thresholds({"road": 0, "sky": 10}), None, GateSettings())
    assert reasons == ["the teacher predicts only 'sky'"]


@pytest.mark.parametrize(("pixels", "objects"), [(1_000, True), (100, True), (99, False)])
def test_a_class_of_some_size_may_not_vanish(pixels: int, objects: bool) -> None:
    before = _thresholds({"road": 1_000_000 - pixels, "sky": 0, "train": pixels})
    reasons = objections(_thresholds({"road": 900, "sky": 100, "train": 0}), before, GateSettings())
    assert reasons == (["the teacher no longer predicts 'train', which the previous one did"] if objects else [])


def test_a_mean_entropy_below_a_tenth_of_the_previous_one_is_a_collapse() -> None:
    now = _thresholds({"road": 9, "sky": 1}, entropy=0.0099)
    assert objections(now, _thresholds({"road": 9, "sky": 1}, entropy=0.1), GateSettings()) == [
        "the mean entropy fell from 0.1000 to 0.0099: the teacher is sure of everything"
    ]
    assert objections(now, _thresholds({"road": 9, "sky": 1}, entropy=0.1), GateSettings(entropy_min=0.09)) == []
    assert objections(now, None, GateSettings()) == []
