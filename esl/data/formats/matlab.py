"""Reads numbers from a file of MATLAB; a damaged file raises an exception.

scipy's reader would end the interpreter on some damaged files. The format is MathWorks' "MAT-File Format", Level 5: a
header of 128 bytes, then elements, each a tag of its type and its number of bytes, and its data.
"""

import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.errors import InputError, one_line

NUMBERS = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8"}
"""Types of numeric elements -> NumPy's names of them."""

MATRIX, COMPRESSED = 14, 15
"""The types of an array, and of a deflated element."""

LONGEST = 2**24
"""The most bytes of one inflated element."""

BYTE_ORDERS = {b"IM": "<", b"MI": ">"}


def read_numbers(path: Path, name: str) -> NDArray[np.float64]:
    """The values (N,) float64 of the array called ``name``, column by column.

    Raises:
        InputError: the file is missing or damaged, of another version of the format, or has no such array of numbers.
    """
    try:
        content = path.read_bytes()
        order = BYTE_ORDERS.get(content[126:128])
        if order is None:
            raise ValueError("not a file of MATLAB's version 5 to 7")
        for kind, data in _elements(content[128:], order):
            if kind == COMPRESSED:
                kind, data = next(_elements(zlib.decompressobj().decompress(data, LONGEST), order))
            if kind != MATRIX:
                continue
            _, _, (_, own_name), *values = _elements(data, order)
            if own_name == name.encode():
                (type_, numbers), *_ = values
                return np.frombuffer(numbers, dtype=f"{order}{NUMBERS[type_]}").astype(np.float64)
    except (OSError, ValueError, KeyError, StopIteration, zlib.error) as error:
        raise InputError(f"{path}: not readable as a file of MATLAB ({one_line(error)}); obtain it again") from None
    raise InputError(f"{path}: holds no array {name!r}; obtain it again")


def _elements(data: bytes, order: str) -> Iterator[tuple[int, bytes]]:
    """Type and data of every element; ValueError if one is cut short."""
    place = 0
    while place < len(data):
        kind, size = (int(word) for word in np.frombuffer(data[place : place + 8], dtype=f"{order}u4"))
        start = place + 8
        if kind >> 16:  # the short form: size and type share a word, the data are in the other
            kind, size, start = kind & 0xFFFF, kind >> 16, place + 4
        if start + size > len(data):
            raise ValueError("an element is cut short")
        yield kind, data[start : start + size]
        end = start + size
        place = end if kind == COMPRESSED else end + -end % 8
