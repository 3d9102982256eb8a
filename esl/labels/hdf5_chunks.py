"""Chunks of an HDF5 dataset as its own filters (shuffle, gzip, fletcher32) would store them, made outside of HDF5.

HDF5 compresses under one lock, on one thread, with zlib; ISA-L writes the same format five times faster, and as many
chunks at once as there are workers. Every HDF5 reader reads the result; ``performance`` compares the two.
"""

from typing import Any

import h5py
import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

GZIP_LEVEL = 1
"""ISA-L's compression level (0 to 3), recorded in the file as the gzip level; performance/README.md compares levels."""

BLOCK = 16384
"""Words that a checksum sums at a time: they stay in the cache."""

COUNTDOWN = np.arange(BLOCK, 0, -1, dtype=np.uint64)


def create_dataset(file: h5py.File, name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> h5py.Dataset:
    """A dataset (N, ...) with one chunk per row and the filters that ``compressed`` applies."""
    return file.create_dataset(
        name,
        shape,
        dtype,
        chunks=(1, *shape[1:]),
        compression="gzip",
        compression_opts=GZIP_LEVEL,
        shuffle=True,
        fletcher32=True,  # without it a flipped bit could read silently
    )


def compressed(row: NDArray[Any]) -> bytes:
    """The bytes of the chunk that stores ``row``."""
    values = np.ascontiguousarray(row)
    # HDF5's shuffle: all first bytes, then all second bytes
    shuffled = np.ascontiguousarray(values.reshape(-1).view(np.uint8).reshape(-1, values.itemsize).T)
    deflated: bytes = isal_zlib.compress(shuffled, GZIP_LEVEL)
    return deflated + fletcher32(deflated).to_bytes(4, "little")


def write(dataset: h5py.Dataset, row: int, chunk: bytes) -> None:
    """Stores a chunk of ``compressed`` as row ``row``."""
    dataset.id.write_direct_chunk((row, *[0] * (dataset.ndim - 1)), chunk)


def fletcher32(content: bytes) -> int:
    """HDF5's checksum (H5checksum.c): of big-endian 16-bit words the sum, and the sum of all its partial sums."""
    words = np.frombuffer(content + b"\0" * (len(content) % 2), dtype=">u2")
    low = high = 0
    for start in range(0, len(words), BLOCK):
        block = words[start : start + BLOCK].astype(np.uint64)
        total = int(block.sum())
        low += total
        # a word is part of every partial sum from its own to the last
        high += int(block @ COUNTDOWN[-len(block) :]) + total * (len(words) - start - len(block))
    # both modulo 65535; but since carries are added back, a multiple of 65535 becomes 65535, and only zero gives 0
    low, high = ((value - 1) % 65535 + 1 if value else 0 for value in (low, high))
    return high << 16 | low
