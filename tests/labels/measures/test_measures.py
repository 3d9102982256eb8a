"""Properties of every measure of confidence, and the measures of the papers."""

import numpy as np
import pytest
import torch

from esl.errors import InputError
from esl.labels.fixed_point import TOP
from esl.labels.measures.base import Measure
from esl.labels.measures.build import measure_module, measure_named
from esl.labels.measures.registry import MEASURES

EVERY = pytest.mark.parametrize("measure", [measure_named(name) for name in MEASURES], ids=[*MEASURES])


def test_an_unknown_measure_is_an_error_and_never_has_a_direction() -> None:
    for resolve in (measure_named, measure_module):
        with pytest.raises(InputError, match="expected one of entropy, confidence, margin, but got 'entropie'"):
            resolve("entropie")


@EVERY
def test_a_measure_has_the_name_of_its_row(measure: Measure) -> None:
    assert MEASURES[measure.name].startswith(f"{measure_module(measure.name)}:")
    assert type(measure).__module__ == measure_module(measure.name)


@EVERY
@pytest.mark.parametrize("num_classes", [2, 3, 19])
def test_one_hot_probabilities_are_at_the_sure_end_and_uniform_ones_at_the_other(
    measure: Measure, num_classes: int
) -> None:
    certain = torch.zeros(num_classes, 1, 1)
    certain[1] = 1
    equal = torch.full((num_classes, 1, 1), 1 / num_classes)
    sure, unsure = (float(measure.values(probability)[0, 0]) for probability in (certain, equal))
    assert sure == (0 if measure.sure == "low" else 1)
    assert unsure > sure if measure.sure == "low" else unsure < sure


@EVERY
def test_the_fast_form_equals_the_plain_one_to_a_code_and_changes_neither_tile_nor_maxima(measure: Measure) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(19, 7, 50, generator=generator) * torch.logspace(-2, 1.5, 50)
    tile = logits.softmax(dim=0).numpy()
    best, before = tile.max(axis=0), tile.copy()
    codes = measure.codes(tile, best, np.empty_like(tile))
    assert codes.dtype == np.uint16 and codes.shape == (7, 50)
    assert np.abs(codes - TOP * measure.values(torch.from_numpy(before)).double().numpy()).max() < 1.01
    assert np.array_equal(tile, before) and np.array_equal(best, before.max(axis=0))


def test_the_margin_is_the_difference_of_the_two_largest_and_zero_for_equal_ones() -> None:
    tile = np.random.default_rng(0).dirichlet(np.ones(5), (4, 6)).astype(np.float32).transpose(2, 0, 1)
    tile[:, 0, 0] = [0.1, 0.4, 0.1, 0.4, 0.0]
    tile[:, 0, 1] = [0.2, 0.2, 0.2, 0.2, 0.2]
    second, first = np.sort(tile.astype(np.float64), axis=0)[-2:]
    codes = measure_named("margin").codes(np.ascontiguousarray(tile), tile.max(axis=0), np.empty((5, 4, 6), np.float32))
    assert np.array_equal(codes, np.rint((first - second) * TOP)) and codes[0, :2].tolist() == [0, 0]
