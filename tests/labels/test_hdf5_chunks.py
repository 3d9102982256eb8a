"""Chunks made outside of HDF5 against those that HDF5 makes itself."""

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from esl.labels import hdf5_chunks as chunks


def _rows(shape: tuple[int, ...], dtype: str) -> list[NDArray[Any]]:
    rng = np.random.default_rng(0)
    noise = (rng.random(shape) * 200).astype(dtype)
    return [noise, np.zeros(shape, dtype), np.full(shape, np.iinfo("u1").max, dtype)]


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [((512, 1024), "u2"), ((11, 13), "u1"), ((1, 1), "u1"), ((19, 65, 129), "f2"), ((65536,), "i8")],
)
def test_plain_h5py_reads_every_row_back(tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    rows = _rows(shape, dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = chunks.create_dataset(file, "x", (3, *shape), np.dtype(dtype))
        for number, row in enumerate(rows):
            chunks.write(dataset, number, chunks.compressed(row))
    with h5py.File(tmp_path / "a.h5") as file:
        assert np.array_equal(file["x"][:], np.stack(rows))
        assert (file["x"].compression, file["x"].shuffle, file["x"].fletcher32) == ("gzip", True, True)


def test_a_row_that_is_not_contiguous_is_stored_as_it_looks(tmp_path: Path) -> None:
    row = np.arange(60, dtype=np.uint16).reshape(6, 10).T[::2]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = chunks.create_dataset(file, "x", (1, *row.shape), row.dtype)
        chunks.write(dataset, 0, chunks.compressed(row))
        assert np.array_equal(dataset[0], row)


@pytest.mark.parametrize("size", [1, 2, 3, 100, 2 * chunks.BLOCK, 2 * chunks.BLOCK + 1, 200_001])
@pytest.mark.parametrize("value", ["noise", "zeros", "ones"])
def test_the_checksum_is_the_one_that_hdf5_stores(tmp_path: Path, size: int, value: str) -> None:
    noise = np.random.default_rng(size).integers(0, 256, size, dtype=np.uint8)
    row = {"noise": noise, "zeros": np.zeros_like(noise), "ones": np.full_like(noise, 255)}[value]
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = file.create_dataset("x", (1, size), "u1", chunks=(1, size), fletcher32=True)
        dataset[0] = row
        _, stored = dataset.id.read_direct_chunk((0, 0))
    assert stored[:-4] == row.tobytes()
    assert stored[-4:] == chunks.fletcher32(row.tobytes()).to_bytes(4, "little")


@given(st.binary(min_size=1, max_size=80))
def test_the_checksum_follows_its_definition(content: bytes) -> None:
    padded = content + b"\0" * (len(content) % 2)
    low = high = 0
    for first, second in zip(padded[::2], padded[1::2], strict=True):
        low += first << 8 | second
        high += low
        low, high = (low & 0xFFFF) + (low >> 16), (high & 0xFFFF) + (high >> 16)
    low, high = (low & 0xFFFF) + (low >> 16), (high & 0xFFFF) + (high >> 16)
    assert chunks.fletcher32(content) == high << 16 | low
