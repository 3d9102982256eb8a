"""Sequences told from names, in the layouts of the datasets that are read."""

import pytest

from esl.data.sequences import frame_order, sequence_of


@pytest.mark.parametrize(
    ("id_", "image", "sequence"),
    [
        ("frankfurt_000001_000294", "leftImg8bit/val/frankfurt/frankfurt_000001_000294_x.png", "frankfurt_000001"),
        ("0006R0_f00930", "val/0006R0_f00930.png", "0006R0"),
        ("0006R0_000930", "train/0006R0_000930.png", "0006R0"),
        ("GOPR0475_frame_000247", "rgb_anon/fog/val/GOPR0475/GOPR0475_frame_000247.png", "GOPR0475_frame"),
        ("drive1__0007", "drive1/0007.jpg", "drive1"),
        ("drive1__IMG_0007", "drive1/IMG_0007.jpg", "drive1__IMG"),
        ("frame0012", "night/frame0012.png", "night"),
        ("00012", "images/00012.png", "images"),
        ("00012", "00012.png", "."),
        ("0a0a0b1a-7c39d841", "images/0a0a0b1a-7c39d841.jpg", "0a0a0b1a-7c39d"),
        ("kitchen", "photos/kitchen.jpg", "kitchen"),
    ],
)
def test_a_sequence_is_the_id_without_its_last_number_or_else_the_folder(id_: str, image: str, sequence: str) -> None:
    assert sequence_of(id_, image) == sequence


def test_frames_are_in_the_order_of_their_numbers_whatever_their_digits() -> None:
    ids = ["b_1", "a_10", "a_9", "10", "9", "a"]
    assert sorted(ids, key=frame_order) == ["9", "10", "a", "a_9", "a_10", "b_1"]
