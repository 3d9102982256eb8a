"""Properties of every method, the published methods, and their settings."""

import math
import subprocess
import sys
from pkgutil import resolve_name

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from esl.classes import IGNORE
from esl.errors import InputError
from esl.labels.confidence import confidence_maps
from esl.labels.fixed_point import CODES, TOP, count_codes
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.base import Method
from esl.labels.methods.build import build_method, method_module, settings_class
from esl.labels.methods.quantile import limit_code
from esl.labels.methods.registry import METHODS

PUBLISHED = ("esl", "bdl", "fda", "cbst", "sac", "control")
EVERY = pytest.mark.parametrize("method", [build_method(name) for name in METHODS], ids=[*METHODS])
CODE_LISTS = st.lists(st.one_of(st.integers(0, TOP), st.sampled_from([0, 7, 7, TOP])), min_size=1, max_size=60)


def _counts(codes: list[int]) -> dict[str, NDArray[np.int64]]:
    """Histograms of one class in which every measure has the same codes."""
    return dict.fromkeys(MEASURES, np.bincount(codes, minlength=CODES)[None])


def test_the_published_methods() -> None:
    methods = {name: build_method(name) for name in METHODS}
    assert {name: method.settings.parameters() for name, method in methods.items()} == {
        "esl": {"quantile": 0.5, "bound": 0.1},
        "bdl": {"quantile": 0.5, "bound": 0.9},
        "fda": {"quantile": 0.66, "bound": 0.9},
        "cbst": {"portion": 0.2, "portion_step": 0.05, "portion_max": 0.5},
        "sac": {"zeta": 0.75, "beta": 0.001, "floor": 0.2},
        "fixed": {"measure": "entropy", "threshold": 0.1, "classes": {}},
        "control": {},
    }
    assert {name: method.measure and method.measure.name for name, method in methods.items()} == {
        "esl": "entropy",
        "bdl": "confidence",
        "fda": "confidence",
        "cbst": "confidence",
        "sac": "confidence",
        "fixed": "entropy",
        "control": None,
    }


@EVERY
def test_a_method_has_the_name_of_its_row_and_runs_for_one_round_by_default(method: Method) -> None:
    assert METHODS[method.name].startswith(f"{method_module(method.name)}:")
    assert type(method) is resolve_name(METHODS[method.name])
    assert type(method.settings) is method.settings_class is settings_class(method.name)
    assert method.settings.rounds == 1
    assert all(field.description for field in settings_class(method.name).model_fields.values())


def test_a_parameter_of_the_config_replaces_the_published_one_even_if_it_is_zero() -> None:
    assert build_method("esl", {}).settings == build_method("esl").settings
    assert build_method("esl", {"quantile": 0}).settings.parameters() == {"quantile": 0, "bound": 0.1}
    assert build_method("bdl", {"bound": 0.0}).settings.parameters() == {"quantile": 0.5, "bound": 0}
    assert build_method("cbst", {"portion": 0.5}).settings.parameters()["portion"] == 0.5


@pytest.mark.parametrize("bad", [-0.1, 1.1, math.nan, math.inf])
def test_a_fraction_outside_of_zero_and_one_is_refused_by_name(bad: float) -> None:
    with pytest.raises(InputError, match=r"methods\.esl\.quantile"):
        build_method("esl", {"quantile": bad})
    with pytest.raises(InputError, match=r"methods\.fda\.bound"):
        build_method("fda", {"bound": bad})


def test_an_unknown_method_is_refused_with_the_known_ones() -> None:
    for resolve in (build_method, method_module, settings_class):
        with pytest.raises(InputError, match=r"esl, bdl, fda, cbst, sac, fixed, control, but got 'esk'"):
            resolve("esk")


def test_a_bound_for_a_method_without_one_is_refused() -> None:
    with pytest.raises(InputError, match=r"methods\.cbst\.bound"):
        build_method("cbst", {"bound": 0.9})


@EVERY
def test_a_class_that_is_never_predicted_has_no_threshold_and_keeps_nothing(method: Method) -> None:
    (threshold,) = method.thresholds(dict.fromkeys(MEASURES, np.zeros((1, CODES), dtype=np.int64)), 1)
    assert (threshold.pixels, threshold.quantile_value, threshold.value) == (0, None, None)
    assert (threshold.bounded, threshold.kept) == (False, 0)
    assert (limit_code(None, "low"), limit_code(None, "high")) == (-1, CODES)


@given(CODE_LISTS, CODE_LISTS)
def test_histograms_of_shards_add_up_to_the_threshold_of_all_their_pixels(a: list[int], b: list[int]) -> None:
    added = {name: counts + _counts(b)[name] for name, counts in _counts(a).items()}
    for name in METHODS:
        assert build_method(name).thresholds(added, 1) == build_method(name).thresholds(_counts(a + b), 1)


@EVERY
def test_an_image_keeps_the_pixels_that_its_thresholds_count_and_the_published_methods_keep_one_alone(
    method: Method,
) -> None:
    measures = [measure_named(name) for name in MEASURES]
    probability = torch.tensor([0.6, 0.3, 0.1, 0.0, 0.0, 0.0]).reshape(6, 1, 1)
    maps = confidence_maps(probability, (1, 1), measures) | {"probability": probability.numpy().astype(np.float16)}
    histograms = {name: np.zeros((6, CODES), dtype=np.int64) for name in MEASURES}
    for name, histogram in histograms.items():
        count_codes(histogram, maps["label"], maps[name])
    thresholds = method.thresholds(histograms, 1)
    mask = method.label(maps, [threshold.value for threshold in thresholds])
    kept = int(mask[0, 0] == 0)
    assert mask.tolist() == [[0 if kept else IGNORE]]
    assert thresholds[0].kept == (None if method.name == "sac" else kept)
    assert method.name not in PUBLISHED or kept == (method.name != "control")
    assert [threshold.kept for threshold in thresholds[1:]] == [0] * 5
    assert [threshold.pixels for threshold in thresholds] == [1, 0, 0, 0, 0, 0]


def test_control_keeps_nothing() -> None:
    control, counts = build_method("control"), _counts(list(range(0, TOP, 100)))
    (threshold,) = control.thresholds(counts, 1)
    assert (threshold.pixels, threshold.value, threshold.kept) == (counts["entropy"].sum(), None, 0)
    label = np.array([[0, 1]], dtype=np.uint8)
    assert control.label({"label": label}, [None, None]).tolist() == [[IGNORE, IGNORE]]


def test_every_method_and_measure_is_imported_without_pytorch() -> None:
    """Planning and the stages that read maps resolve them; PyTorch would cost each of these processes 3 s."""
    program = (
        "import sys\n"
        "from esl.labels.measures.build import measure_named\n"
        "from esl.labels.measures.registry import MEASURES\n"
        "from esl.labels.methods.build import build_method\n"
        "from esl.labels.methods.registry import METHODS\n"
        "[measure_named(name) for name in MEASURES], [build_method(name) for name in METHODS]\n"
        "assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
