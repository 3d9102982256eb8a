"""Images that were recorded one after the other, told from the names of their files."""

import re
from pathlib import PurePosixPath

_NUMBERED = re.compile(r"(.*?)(?:(?:^|[_\-. ]+)[a-zA-Z]*)?\d+")
"""A name that ends in a number; its last word may have letters before the number, such as ``_f00930``."""


def sequence_of(id_: str, image_path: str) -> str:
    """The sequence of an image: its id without the last number, or else the folder of ``image_path``.

    An id without a number at its end is a sequence of its own.

    >>> sequence_of("bonn_000003_000019", "leftImg8bit/val/bonn/bonn_000003_000019_leftImg8bit.png")
    'bonn_000003'
    >>> sequence_of("0006R0_f00930", "val/0006R0_f00930.png"), sequence_of("00012", "images/00012.png")
    ('0006R0', 'images')
    """
    numbered = _NUMBERED.fullmatch(id_)
    return id_ if numbered is None else numbered[1] or str(PurePosixPath(image_path).parent)


def frame_order(id_: str) -> tuple[str | int, ...]:
    """A key that sorts ids with their numbers by value: frame 9 before frame 10.

    >>> sorted(["a_10", "a_9"], key=frame_order)
    ['a_9', 'a_10']
    """
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", id_))
