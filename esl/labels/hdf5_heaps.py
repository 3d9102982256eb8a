"""Global heaps, where an HDF5 file keeps its text: HDF5 itself reads some damaged ones without end.

HDF5 File Format Specification, version 3, III.E: after a header of 16 bytes follow objects, each of which has a header
of 16 bytes and fills a multiple of 8.
"""

from pathlib import Path
from typing import BinaryIO

SIGNATURE = b"GCOL\x01\0\0\0"
"""With the version and reserved bytes; other versions HDF5 refuses by itself."""

START = 2**16
"""Attributes are written first: their heaps lie in so many bytes."""

RECORD = 16
"""Bytes of a reference to text: its length (4), the address of a heap (8) and the number of an object (4)."""

LARGEST = 2**24
"""Bytes of a heap; it has 4096, or as many as its one long text needs."""


def check_heaps_at_start(path: Path) -> None:
    """ValueError for a damaged heap in the first ``START`` bytes of a file."""
    with path.open("rb") as file:
        start = file.read(START)
        place = start.find(SIGNATURE)
        while place >= 0:
            _check_heap(file, place)
            place = start.find(SIGNATURE, place + 1)


def check_heaps_of(path: Path, offset: int, count: int) -> None:
    """ValueError for a damaged heap of those that ``count`` texts refer to, whose references begin at ``offset``."""
    with path.open("rb") as file:
        file.seek(offset)
        records = file.read(count * RECORD)
        places = range(4, len(records), RECORD)
        for address in dict.fromkeys(int.from_bytes(records[place : place + 8], "little") for place in places):
            _check_heap(file, address)


def _check_heap(file: BinaryIO, address: int) -> None:
    if address > LARGEST**2:
        raise ValueError("damaged text")
    file.seek(address)
    header = file.read(16)
    size = int.from_bytes(header[8:], "little")
    if not header.startswith(SIGNATURE) or not 16 <= size <= LARGEST:
        raise ValueError("damaged text")
    objects = file.read(size - 16)
    place = 0
    while place + 16 <= len(objects):
        length = int.from_bytes(objects[place + 8 : place + 16], "little")
        is_free = objects[place : place + 2] == b"\0\0"  # its length counts its header, too
        step = length if is_free else 16 + -(-length // 8) * 8
        place += step
        if step < 16 or place > len(objects):  # HDF5 would read an object of no length again and again
            raise ValueError("damaged text")
