"""The units that intervals are over: images, sequences, blocks; and their words."""

import numpy as np
import pytest

from esl.evaluation.confusions import IouCounts
from esl.evaluation.units import units_of
from tests.contents import confusions_of

ONE = np.eye(19, dtype=np.int64)


def _units(ids: list[str], *, drawn_at_random: bool = False) -> tuple[list[int], str]:
    units = units_of(confusions_of([ONE] * len(ids), ids=ids, drawn_at_random=drawn_at_random))
    return units.of_image.tolist(), units.words


def test_images_of_different_sequences_are_units() -> None:
    assert _units(["a_1_9", "b_1_9", "c_7_9"]) == ([0, 1, 2], "3 images")
    assert _units(["a_1_9"]) == ([0], "1 image")


def test_enough_sequences_are_units_as_a_whole() -> None:
    ids = [f"drive{number}_{frame}" for frame in range(3) for number in range(8)]
    assert _units(ids) == ([*range(8)] * 3, "8 sequences")


def test_fewer_sequences_are_cut_into_blocks_of_consecutive_images_in_the_order_of_their_numbers() -> None:
    ids = [f"drive_{frame}" for frame in reversed(range(101))]
    of_image, words = _units(ids)
    assert words == "12 blocks of up to 9 consecutive images of 1 sequence"
    by_frame = of_image[::-1]
    assert by_frame == sorted(by_frame) and set(by_frame) == {*range(12)}
    assert {by_frame.count(unit) for unit in range(12)} == {8, 9}


def test_a_block_has_images_of_one_sequence_alone() -> None:
    ids = [f"{name}_{frame}" for name, frames in (("a", 30), ("b", 5), ("c", 1)) for frame in range(frames)]
    of_image, words = _units(ids)
    assert words == "13 blocks of up to 3 consecutive images of 3 sequences"
    assert len({(id_[0], unit) for id_, unit in zip(ids, of_image, strict=True)}) == 13


def test_a_few_long_sequences_among_many_images_are_no_units_as_a_whole() -> None:
    ids = [f"long_{frame}" for frame in range(100)] + [f"town{number}_1_1" for number in range(50)]
    assert "blocks" in _units(ids)[1]


def test_images_drawn_at_random_are_units_whatever_their_names() -> None:
    assert _units([f"drive_{frame}" for frame in range(20)], drawn_at_random=True) == ([*range(20)], "20 images")


@pytest.mark.parametrize("length", [1, 7])
def test_the_counts_of_units_are_the_sums_of_their_images(length: int) -> None:
    ids = [f"drive_{frame}" for frame in range(length)]
    units = units_of(confusions_of([ONE] * length, ids=ids))
    counts = np.random.default_rng(0).integers(0, 9, (2, length, 19))
    summed = units.summed(IouCounts(*counts))
    for unit in range(units.number):
        assert np.array_equal(summed.hits[unit], counts[0][units.of_image == unit].sum(axis=0))
    assert np.array_equal(summed.unions.sum(axis=0), counts[1].sum(axis=0))
