"""The gate: what it objects to, worked by hand."""

from typing import Any

import pytest

from esl.labels.gate import Gate, objections


def _thresholds(
    pixels: dict[str, int], kept: float = 0.6, entropy: float = 0.1, measure: str | None = "entropy"
) -> Any:
    classes = {name: {"pixels": count} for name, count in pixels.items()}
    return {"measure": measure, "kept": kept, "mean_entropy": entropy, "classes": classes}


SOUND = _thresholds({"road": 500_000, "sky": 499_000, "train": 1_000})


def test_a_sound_teacher_passes_alone_and_after_another() -> None:
    assert objections(SOUND, None, Gate()) == objections(SOUND, SOUND, Gate()) == []


@pytest.mark.parametrize(("kept", "passes"), [(0.049, False), (0.05, True), (0.95, True), (0.951, False)])
def test_the_kept_share_must_lie_within_its_bounds(kept: float, passes: bool) -> None:
    found = objections(_thresholds({"road": 9, "sky": 1}, kept), None, Gate())
    assert (found == []) == passes
    if not passes:
        assert found == [f"{kept:.1%} of all pixels are kept, which lies outside of [5.0%, 95.0%]"]


def test_the_control_keeps_nothing_on_purpose() -> None:
    assert objections(_thresholds({"road": 9, "sky": 1}, 0.0, measure=None), None, Gate()) == []


def test_a_teacher_of_one_class_is_refused_without_any_to_compare_with() -> None:
    found = objections(_thresholds({"road": 0, "sky": 10}), None, Gate())
    assert found == ["the teacher predicts nothing but 'sky'"]


@pytest.mark.parametrize(("pixels", "objects"), [(1_000, True), (100, True), (99, False)])
def test_a_class_of_some_size_may_not_vanish(pixels: int, objects: bool) -> None:
    before = _thresholds({"road": 1_000_000 - pixels, "sky": 0, "train": pixels})
    found = objections(_thresholds({"road": 900, "sky": 100, "train": 0}), before, Gate())
    assert found == (["the teacher no longer predicts 'train', which the one before did"] if objects else [])


def test_a_mean_entropy_of_less_than_a_tenth_of_the_one_before_is_a_collapse() -> None:
    now = _thresholds({"road": 9, "sky": 1}, entropy=0.0099)
    assert objections(now, _thresholds({"road": 9, "sky": 1}, entropy=0.1), Gate()) == [
        "the mean entropy fell from 0.1000 to 0.0099: the teacher is sure of everything"
    ]
    assert objections(now, _thresholds({"road": 9, "sky": 1}, entropy=0.1), Gate(entropy_min=0.09)) == []
    assert objections(now, None, Gate()) == []
