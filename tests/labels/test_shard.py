"""The HDF5 shard: exact, readable with plain h5py, whole or absent, and never silently wrong."""

import fcntl
import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from esl.errors import InputError
from esl.labels.fixed_point import CODES
from esl.labels.shard import Origin, Planes, open_shard, same_origin, write_shard

CLASSES = ("road", "sidewalk", "sky")
ORIGIN = Origin(CLASSES, "0123abcd", "bilinear")
MEASURES = ("entropy", "confidence")
ALL = {"stored": (*MEASURES, "probability"), "counted": MEASURES}
IDS = ["aachen_000000_000019", "zürich_000001_000019", "c"]


def _images() -> list[dict[str, NDArray[Any]]]:
    rng = np.random.default_rng(0)
    return [
        {
            "probability": rng.random((3, 4, 5)).astype(np.float16),
            "label": rng.integers(0, 3, (11, 13), dtype=np.uint8),
            "entropy": rng.integers(0, CODES, (11, 13), dtype=np.uint16),
            "confidence": rng.integers(0, CODES, (11, 13), dtype=np.uint16),
        }
        for _ in IDS
    ]


def _write(path: Path, origin: Origin = ORIGIN, images: int = len(IDS)) -> list[dict[str, NDArray[Any]]]:
    """A shard for three images of which the first ``images`` are stored."""
    chosen = _images()[:images]
    with write_shard(path, len(IDS), origin, **ALL) as writer:
        for id_, image in zip(IDS, chosen, strict=False):
            writer.append(writer.pack(id_, image))
    return chosen


def test_a_shard_reads_back_to_the_last_bit(tmp_path: Path) -> None:
    images = _write(tmp_path / "1-of-1.h5")
    with open_shard(tmp_path / "1-of-1.h5") as shard:
        assert shard.ids == IDS
        assert shard.origin == ORIGIN
        for row, image in enumerate(images):
            maps = shard.maps(row, image)
            assert maps.keys() == image.keys()
            for name, value in maps.items():
                assert value.dtype == image[name].dtype
                assert np.array_equal(value, image[name])


def test_views_are_part_of_the_origin_and_leave_no_trace_where_there_are_none(tmp_path: Path) -> None:
    plain, averaged = tmp_path / "plain.h5", tmp_path / "averaged.h5"
    origin = Origin(CLASSES, "0123abcd", "bilinear", ("flip", 0.75))
    _write(plain)
    _write(averaged, origin)
    assert (same_origin([plain]), same_origin([averaged])) == (ORIGIN, origin)
    with h5py.File(plain) as without, h5py.File(averaged) as with_views:
        assert with_views.attrs.keys() - without.attrs.keys() == {"views"}
    with pytest.raises(InputError, match="different models or views"):
        same_origin([plain, averaged])


def test_plain_h5py_finds_the_documented_datasets_and_attributes(tmp_path: Path) -> None:
    images = _write(tmp_path / "1-of-1.h5")
    with h5py.File(tmp_path / "1-of-1.h5") as file:
        assert file["id"].asstr()[:].tolist() == IDS
        expected = {"probability": "float16", "label": "uint8", "entropy": "uint16", "confidence": "uint16"}
        for name, dtype in expected.items():
            assert file[name].dtype == dtype
            assert np.array_equal(file[name][:], np.stack([image[name] for image in images]))
        assert {file[f"histogram/{measure}"].shape for measure in MEASURES} == {(3, CODES)}
        assert {file[f"histogram/{measure}"].dtype for measure in MEASURES} == {np.dtype("int64")}
        assert json.loads(file.attrs["class_set"]) == [*CLASSES]
        attributes = {name: file.attrs[name] for name in ("format_version", "checkpoint_sha256", "interpolation")}
        assert attributes == {"format_version": 3, "checkpoint_sha256": b"0123abcd", "interpolation": b"bilinear"}


def test_no_text_lies_in_a_global_heap(tmp_path: Path) -> None:
    """HDF5 keeps text of variable length there, without a checksum, and reads some damaged heaps without end."""
    _write(tmp_path / "1-of-1.h5", Origin(CLASSES, "0123abcd", "bilinear", ("flip", 0.75)))
    assert b"GCOL" not in (tmp_path / "1-of-1.h5").read_bytes()


def test_ids_of_any_length_and_script_read_back(tmp_path: Path) -> None:
    """The longest in characters is not the longest in bytes."""
    path, ids = tmp_path / "1-of-1.h5", ["a", "x" * 200, "街" * 150, "z\u0308rich/0001"]
    with write_shard(path, len(ids), ORIGIN, stored=[], counted=[]) as writer:
        for id_ in ids:
            writer.append(writer.pack(id_, _images()[0]))
    with open_shard(path) as shard:
        assert shard.ids == ids


def test_histograms_equal_a_recount_of_the_stored_codes(tmp_path: Path) -> None:
    path = tmp_path / "1-of-1.h5"
    _write(path)
    with h5py.File(path, locking=False) as file, open_shard(path) as shard:
        for measure in MEASURES:
            recount = np.zeros((3, CODES), dtype=np.int64)
            np.add.at(recount, (file["label"][:], file[measure][:]), 1)
            assert np.array_equal(shard.histogram(measure), recount)
            assert shard.histogram(measure).sum() == 3 * 11 * 13


@pytest.mark.parametrize("stored", [[], ["entropy"], ["confidence", "probability"]])
def test_maps_that_are_switched_off_are_left_out_and_asking_for_them_says_so(tmp_path: Path, stored: list[str]) -> None:
    path = tmp_path / "1-of-1.h5"
    with write_shard(path, 3, ORIGIN, stored=stored, counted=MEASURES) as writer:
        for id_, image in zip(IDS, _images(), strict=True):
            writer.append(writer.pack(id_, image))
    _write(tmp_path / "all.h5")
    with open_shard(path) as shard, open_shard(tmp_path / "all.h5") as whole:
        for name in ("entropy", "confidence", "probability"):
            assert shard.holds(name) == (name in stored)
            if name in stored:
                assert np.array_equal(shard.maps(2, [name])[name], whole.maps(2, [name])[name])
            else:
                with pytest.raises(InputError, match=rf"1-of-1\.h5: holds no '{name}' map; add it to inference\.maps"):
                    shard.maps(0, [name])
        for measure in MEASURES:  # thresholds need no map
            assert np.array_equal(shard.histogram(measure), whole.histogram(measure))


def test_a_measure_that_is_not_counted_has_no_histogram_and_asking_for_it_says_so(tmp_path: Path) -> None:
    path = tmp_path / "1-of-1.h5"
    images = _images()
    with write_shard(path, 3, ORIGIN, stored=["entropy"], counted=["entropy"]) as writer:
        for id_, image in zip(IDS, images, strict=True):
            writer.append(writer.pack(id_, image))
    with open_shard(path) as shard:
        assert shard.counted == ["entropy"] and shard.histogram("entropy").sum() == 3 * 11 * 13
        with pytest.raises(InputError, match=r"1-of-1\.h5: holds no 'confidence' map; add it to inference\.maps"):
            shard.histogram("confidence")


def test_a_writer_that_dies_leaves_no_file_and_an_older_one_untouched(tmp_path: Path) -> None:
    path = tmp_path / "maps" / "1-of-1.h5"

    def die() -> None:
        with write_shard(path, 3, ORIGIN, **ALL):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    assert not [*path.parent.iterdir()]
    _write(path)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        die()
    assert path.read_bytes() == before and [*path.parent.iterdir()] == [path]


def test_a_shard_that_misses_an_image_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        _write(tmp_path / "1-of-1.h5", images=2)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_truncated_shard_is_refused_by_name(tmp_path: Path, share: float) -> None:
    path = tmp_path / "1-of-2.h5"
    _write(path)
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    with pytest.raises(InputError, match=r"1-of-2\.h5"), open_shard(path):
        pass


def test_a_missing_shard_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.h5"), open_shard(tmp_path / "none.h5"):
        pass


@pytest.mark.parametrize("version", [1, 2, 4])
def test_a_shard_of_another_format_is_refused_with_the_advice_to_infer_again(tmp_path: Path, version: int) -> None:
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file.attrs["format_version"] = version
        file.attrs["interpolation"] = "bilinear"  # of variable length, as format 2 had it
    message = r"other\.h5: expected maps of format 3, but .*; delete it and infer again: run the workflow$"
    with pytest.raises(InputError, match=message), open_shard(tmp_path / "other.h5"):
        pass


MAPS = ("probability", "label", "entropy", "confidence")
DATASETS = ("id", "size", "stride_size", *MAPS, "histogram/entropy", "histogram/confidence")


def _flip_a_byte_of(path: Path, name: str) -> None:
    """Damages the middle of the first stored chunk of a dataset."""
    with h5py.File(path) as file:
        assert file[name].fletcher32
        chunk = file[name].id.get_chunk_info(0)
    content = bytearray(path.read_bytes())
    content[chunk.byte_offset + chunk.size // 2] ^= 0x10
    path.write_bytes(content)


@pytest.mark.parametrize("name", DATASETS)
def test_a_flipped_byte_never_reads_silently(tmp_path: Path, name: str) -> None:
    path = tmp_path / "1-of-1.h5"
    _write(path)
    _flip_a_byte_of(path, name)
    with h5py.File(path) as file, pytest.raises(OSError):
        file[name][:]


@pytest.mark.parametrize("name", DATASETS)
def test_a_flipped_byte_is_reported_with_the_name_of_the_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / "1-of-1.h5"
    _write(path)
    _flip_a_byte_of(path, name)
    with pytest.raises(InputError, match=r"1-of-1\.h5"), open_shard(path) as shard:
        shard.maps(0, MAPS)
        shard.histogram("entropy")
        shard.histogram("confidence")


def test_shards_of_one_model_share_an_origin_and_those_of_two_are_refused(tmp_path: Path) -> None:
    a, b, c = (tmp_path / f"{number}-of-3.h5" for number in (1, 2, 3))
    _write(a)
    _write(b)
    assert same_origin([a, b]) == ORIGIN
    _write(c, Origin(CLASSES, "ffff", "bilinear"))
    with pytest.raises(InputError, match="different models"):
        same_origin([a, b, c])


def test_the_same_maps_give_the_same_bytes(tmp_path: Path) -> None:
    _write(tmp_path / "a.h5")
    _write(tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


@pytest.mark.parametrize("stored", [["entropy", "confidence", "probability"], ["entropy"]])
def test_maps_of_several_sizes_share_planes_and_read_back_without_their_padding(
    tmp_path: Path, stored: list[str]
) -> None:
    rng = np.random.default_rng(1)
    sizes = [((11, 13), (3, 4)), ((13, 7), (4, 2)), ((5, 6), (2, 2))]
    images = [
        {
            "probability": rng.random((3, *small_hw)).astype(np.float16),
            "label": rng.integers(0, 3, size_hw, dtype=np.uint8),
            "entropy": rng.integers(1, CODES, size_hw, dtype=np.uint16),
            "confidence": rng.integers(1, CODES, size_hw, dtype=np.uint16),
        }
        for size_hw, small_hw in sizes
    ]
    path = tmp_path / "1-of-1.h5"
    with write_shard(path, 3, ORIGIN, stored=stored, counted=MEASURES, planes=Planes((13, 13), (4, 4))) as writer:
        for id_, image in zip(IDS, images, strict=True):
            writer.append(writer.pack(id_, image))
    with open_shard(path) as shard:
        for row, image in enumerate(images):
            for name, values in shard.maps(row, ["label", *stored]).items():
                assert values.dtype == image[name].dtype and np.array_equal(values, image[name])
        for measure in MEASURES:
            counts = shard.histogram(measure)
            assert counts.sum() == 11 * 13 + 13 * 7 + 5 * 6
            assert not counts[:, 0].any()  # where padding would be counted
    with h5py.File(path) as file:
        assert file["label"].shape == (3, 13, 13)
        assert file["size"][:].tolist() == [[*size_hw] for size_hw, _ in sizes]
        assert file["stride_size"][:].tolist() == [[*small_hw] for _, small_hw in sizes]
        assert not file["entropy"][2, 5:].any() and not file["entropy"][2, :, 6:].any()


def test_a_shard_is_written_and_read_where_files_cannot_be_locked(tmp_path: Path) -> None:
    """As on some network file systems, where a lock fails; here because another process holds it."""
    path = tmp_path / "1-of-1.h5"
    with write_shard(path, 0, ORIGIN, stored=[], counted=[]):
        pass
    with path.open("rb+") as holder:
        fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with pytest.raises(BlockingIOError):
            h5py.File(path, "r", locking=True)
        with open_shard(path) as shard:
            assert shard.ids == []
