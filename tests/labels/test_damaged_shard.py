"""A shard that was changed or damaged is refused by name, in one line, before or while it is read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from esl.errors import InputError
from esl.labels.fixed_point import CODES
from esl.labels.shard import Origin, open_shard, write_shard

Edit = Callable[[h5py.File, Path], None]


@pytest.fixture
def shard(tmp_path: Path) -> Path:
    """Two images of 4x6 in two classes, with every kind of map."""
    path = tmp_path / "1-of-1.h5"
    origin = Origin(("road", "sky"), "ab" * 32, "bilinear", ("flip", 0.75))
    with write_shard(path, 2, origin, stored=["entropy", "probability"], counted=["entropy"]) as writer:
        for id_ in ("a", "zürich"):
            maps = {"label": np.ones((4, 6), np.uint8), "entropy": np.full((4, 6), 7, np.uint16)}
            writer.append(writer.pack(id_, {"probability": np.full((2, 2, 3), 0.5, np.float16), **maps}))
    return path


def _read(path: Path) -> tuple[Any, ...]:
    with open_shard(path) as shard:
        histograms = [shard.histogram(name) for name in shard.counted]
        names = [name for name in ("label", "entropy", "probability") if shard.holds(name)]
        return shard.origin, shard.ids, histograms, [shard.maps(row, names) for row in range(len(shard.ids))]


def _dataset(name: str, value: Any) -> Edit:
    def edit(file: h5py.File, _: Path) -> None:
        del file[name]
        file[name] = value

    return edit


def _attribute(name: str, value: Any) -> Edit:
    def edit(file: h5py.File, _: Path) -> None:
        file.attrs[name] = np.bytes_(value) if isinstance(value, str) else value

    return edit


def _huge(name: str, shape: tuple[int, ...], dtype: Any) -> Edit:
    """Claims far more than the file holds: chunks that are not there read as zeros."""

    def edit(file: h5py.File, _: Path) -> None:
        del file[name]
        file.create_dataset(name, shape, dtype, chunks=(1,) * len(shape))

    return edit


def _linked(file: h5py.File, other: Path) -> None:
    del file["label"]
    file["label"] = h5py.ExternalLink(other, "label")


def _stored_elsewhere(file: h5py.File, other: Path) -> None:
    del file["label"]
    file.create_dataset("label", (2, 4, 6), np.uint8, external=[(other, 0, 48)])


def _virtual(file: h5py.File, other: Path) -> None:
    del file["label"]
    layout = h5py.VirtualLayout((2, 4, 6), np.uint8)
    layout[:] = h5py.VirtualSource(other, "label", (2, 4, 6))
    file.create_virtual_dataset("label", layout)


def _in_a_circle(file: h5py.File, _: Path) -> None:
    del file["label"]
    file["label"] = h5py.SoftLink("/label")


def test_the_shard_itself_is_read(shard: Path) -> None:
    _, ids, (histogram,), maps = _read(shard)
    assert ids == ["a", "zürich"] and histogram.sum() == 48 and len(maps) == 2


@pytest.mark.parametrize("edit", [_linked, _stored_elsewhere, _virtual, _in_a_circle])
def test_maps_that_lie_in_another_file_are_refused(shard: Path, edit: Edit) -> None:
    other = shard.with_name("other.h5")
    with h5py.File(other, "w") as file:
        file["label"] = np.zeros((2, 4, 6), np.uint8)
    with h5py.File(shard, "r+") as file:
        edit(file, other)
    with pytest.raises(InputError, match=r"1-of-1\.h5: damaged \('label' is (a link|not a dataset of this file)\)"):
        _read(shard)


@pytest.mark.parametrize(
    ("edit", "reason"),
    [
        (_dataset("size", np.full((2, 2), -1, np.int32)), "'size': expected sizes up to"),
        (_dataset("size", np.full((2, 2), 7, np.int32)), "'size': expected sizes up to"),
        (_dataset("stride_size", np.full((2, 2), 4, np.int32)), "'stride_size': expected sizes up to"),
        (_dataset("size", np.full((2, 2), 1.5)), "'size': expected"),
        (_dataset("size", np.ones((1, 2), np.int32)), "'size': expected"),
        (_dataset("label", np.zeros((2, 4, 6), np.int64)), "'label': expected"),
        (_dataset("label", np.zeros((1, 4, 6), np.uint8)), "'label': expected"),
        (_dataset("label", np.uint8(1)), "damaged"),
        (_dataset("label", np.full((2, 4, 6), 2, np.uint8)), "'label' is damaged"),
        (_dataset("entropy", np.zeros((2, 5, 5), np.uint16)), "'entropy': expected"),
        (_dataset("probability", np.zeros((2, 3, 2, 3), np.float16)), "'probability': expected"),
        (_dataset("probability", np.full((2, 2, 2, 3), np.nan, np.float16)), "'probability' is damaged"),
        (_dataset("probability", np.full((2, 2, 2, 3), -1, np.float16)), "'probability' is damaged"),
        (_dataset("histogram/entropy", np.full((2, CODES), -1)), "'histogram/entropy' is damaged"),
        (_dataset("histogram/entropy", np.ones((2, 9), np.int64)), "'histogram/entropy': expected"),
        (_dataset("id", np.array([b"a", b"a"])), "'id' holds one twice"),
        (_dataset("id", [1, 2]), "'id': expected text"),
        (_dataset("id", np.array([b"a", b"\xff"])), "can't decode"),
        (_attribute("format_version", [3, 3]), "expected maps of format 3"),
        (_attribute("format_version", "3"), "expected maps of format 3"),
        (_attribute("class_set", "[1, 2]"), "class_set"),
        (_attribute("class_set", "no JSON"), "damaged"),
        (_attribute("class_set", '["road", "road"]'), "class_set"),
        (_attribute("class_set", "[" * 100_000), "damaged"),
        (_attribute("checkpoint_sha256", 7), "checkpoint_sha256"),
        (_attribute("views", "[NaN]"), "views"),
        (_attribute("views", "[1e999]"), "views"),
        (_huge("label", (2, 200_000, 200_000), np.uint8), "200000"),
        (_huge("id", (10**10,), h5py.string_dtype("utf-8", 8)), "'id': expected text"),
        (_huge("histogram/entropy", (10**9, CODES), np.int64), "'histogram/entropy': expected"),
    ],
)
def test_what_no_stage_writes_is_refused_in_one_line(shard: Path, edit: Edit, reason: str) -> None:
    with h5py.File(shard, "r+") as file:
        edit(file, shard)
    with pytest.raises(InputError, match=rf"1-of-1\.h5: .*({reason}).*; delete it") as caught:
        _read(shard)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["class_set", "checkpoint_sha256", "interpolation"])
def test_a_missing_attribute_is_refused_by_the_name_of_the_file(shard: Path, name: str) -> None:
    with h5py.File(shard, "r+") as file:
        del file.attrs[name]
    with pytest.raises(InputError, match=r"1-of-1\.h5: damaged"):
        _read(shard)


def _with_damaged_heap(path: Path) -> None:
    """HDF5 would read the text in this global heap without end."""
    content = bytearray(path.read_bytes())
    place = content.index(b"GCOL") + 16
    content[place : place + 16] = b"\0" * 16
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["format_version", "class_set", "checkpoint_sha256", "interpolation", "views"])
def test_an_attribute_of_variable_length_is_refused_before_it_is_read(shard: Path, name: str) -> None:
    with h5py.File(shard, "r+") as file:
        file.attrs[name] = "variable"
    _with_damaged_heap(shard)
    with pytest.raises(
        InputError, match=rf"1-of-1\.h5: damaged \({name}: expected text of a fixed length\); delete it"
    ):
        _read(shard)


@pytest.mark.parametrize("name", ["id", "size", "label", "entropy"])
def test_a_dataset_of_variable_length_is_refused_before_it_is_read(shard: Path, name: str) -> None:
    with h5py.File(shard, "r+") as file:
        del file[name]
        file[name] = ["a", "zürich"]
    _with_damaged_heap(shard)
    with pytest.raises(InputError, match=r"1-of-1\.h5: damaged \('\w+': expected .*\); delete it"):
        _read(shard)


def test_a_flipped_bit_anywhere_changes_nothing_that_is_read(shard: Path) -> None:
    sound_origin, sound_ids, sound_histograms, sound_maps = _read(shard)
    content, rng = shard.read_bytes(), np.random.default_rng(0)
    for place in rng.integers(len(content), size=150):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.integers(8)
        shard.write_bytes(damaged)
        try:
            origin, ids, histograms, maps = _read(shard)
        except InputError as error:
            assert str(error).startswith(str(shard)) and str(error).isprintable()
            continue
        assert (origin, ids) == (sound_origin, sound_ids)
        assert np.array_equal(histograms, sound_histograms)
        for map_, sound in zip(maps, sound_maps, strict=True):
            assert all(np.array_equal(map_[name], sound[name]) for name in sound)


@pytest.mark.parametrize("bit", range(8))
def test_a_flipped_bit_in_an_id_is_noticed(shard: Path, bit: int) -> None:
    content = bytearray(shard.read_bytes())
    assert content.count("zürich".encode()) == 1
    content[content.index("zürich".encode())] ^= 1 << bit
    shard.write_bytes(content)
    with pytest.raises(InputError, match=r"1-of-1\.h5: damaged"):
        _read(shard)


def test_a_folder_is_refused_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder, pipe or device; run the stage") as caught, open_shard(tmp_path):
        pass
    assert str(caught.value).isprintable()
