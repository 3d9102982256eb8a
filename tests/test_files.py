"""Atomic file writes, JSON files and digests."""

import hashlib
import math
import re
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from esl.errors import InputError
from esl.files import atomic_path, read_json, require_file, sha256_of_file, sha256_of_lines, write_json


def test_a_file_appears_only_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "file.txt"
    with atomic_path(path) as part:
        part.write_text("whole")
        assert part.parent == path.parent and not path.exists()
    assert path.read_text() == "whole"
    assert [*path.parent.iterdir()] == [path]


def test_an_exception_leaves_the_old_file_and_nothing_next_to_it(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), atomic_path(path) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [*tmp_path.iterdir()] == [path]


def _write_text(path: Path) -> None:
    path.write_text("a" * 10**5)


def _write_tensor(path: Path) -> None:
    with path.open("wb") as file:
        torch.save({"a": torch.zeros(10**5)}, file)


def _write_hdf5(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file["a"] = np.zeros(10**5)


@pytest.mark.parametrize("write", [_write_text, _write_tensor, _write_hdf5])
def test_a_full_disk_is_one_line_that_names_the_file(tmp_path: Path, write: Callable[[Path], None]) -> None:
    path = tmp_path / "file"
    with pytest.raises(InputError) as caught, atomic_path(path) as part:
        part.symlink_to("/dev/full")  # every write to it fails as on a full disk
        write(part)
    assert str(caught.value) == (
        f"{path}: cannot be written (No space left on device); make room there, or make it writable, and run again"
    )
    assert not [*tmp_path.iterdir()]


def test_a_folder_that_cannot_be_written_to_is_one_line_that_names_the_file(tmp_path: Path) -> None:
    (tmp_path / "results").touch()
    for path in (tmp_path / "results/a.json", tmp_path / "results/gta2city/a.json"):
        with pytest.raises(
            InputError, match=rf"{path}: cannot be written \((File exists|Not a directory)\); make room"
        ):
            write_json(path, {})
    path = tmp_path / "closed/a.json"
    with (
        pytest.raises(InputError, match=rf"{path}: cannot be written \(Permission denied\)"),
        atomic_path(path) as part,
    ):
        raise PermissionError(13, "Permission denied", str(part))  # the superuser may write anywhere
    with pytest.raises(PermissionError), atomic_path(path):
        raise PermissionError(13, "Permission denied", "another file")


def test_other_errors_are_passed_on(tmp_path: Path) -> None:
    for error in (OSError(5, "Input/output error"), RuntimeError("of the network")):
        with pytest.raises(type(error), match=re.escape(str(error))), atomic_path(tmp_path / "file"):
            raise error


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_json_refuses_what_json_does_not_have_and_leaves_nothing(tmp_path: Path, bad: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        write_json(tmp_path / "a.json", {"miou": [0.5, {"road": bad}]})
    assert not [*tmp_path.iterdir()]


def test_json_reads_back_what_was_written_to_the_last_bit(tmp_path: Path) -> None:
    content = {"threshold": 6554 / 65535, "none": None, "city": "Zürich", "pixels": 2**53 + 1, "all": [True, 0.1]}
    write_json(tmp_path / "a.json", content)
    assert read_json(tmp_path / "a.json") == content
    assert "Zürich" in (tmp_path / "a.json").read_text(encoding="utf-8")
    assert (tmp_path / "a.json").read_bytes().endswith(b"}\n")


@pytest.mark.parametrize("content", [b"", b'{"a": 1', b"\xff\xfe", b"[1, 2]", b"3"])
def test_a_damaged_json_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.json").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.json"):
        read_json(tmp_path / "bad.json")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b'{"a": {"x": 1, "y": 2, "x": 3}}', "'x' occurs twice"),
        (rb'{"a": "\ud800"}', "surrogates not allowed"),
        (rb'{"\udc00": 1}', "surrogates not allowed"),
    ],
)
def test_json_that_other_readers_read_otherwise_is_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    (tmp_path / "odd.json").write_bytes(content)
    with pytest.raises(InputError, match=rf"odd\.json: .*{reason}"):
        read_json(tmp_path / "odd.json")


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / "a.json") == {"a": 1}


def test_a_whole_surrogate_pair_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(rb'{"a": "\ud83d\ude97", "b": "\\ud800"}')
    assert read_json(tmp_path / "a.json") == {"a": "\N{AUTOMOBILE}", "b": "\\ud800"}


def test_a_missing_json_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.json: no such file"):
        read_json(tmp_path / "none.json")


@pytest.mark.parametrize("name", ["none.bin", "a" * 300, "."])
def test_what_is_no_file_is_refused_in_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"(no such file|cannot be read \(File name too long\)|a folder, .*); get it$"):
        require_file(tmp_path / name, fix="get it")


def test_digests_are_sha256(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abc")  # the test vector of FIPS 180-2
    assert sha256_of_file(tmp_path / "file") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert sha256_of_lines(["a", "bc"]) == hashlib.sha256(b"a\nbc\n").hexdigest()
    assert sha256_of_lines(["a", "bc"]) != sha256_of_lines(["ab", "c"])
