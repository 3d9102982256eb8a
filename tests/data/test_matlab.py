"""The reader of MATLAB's files against scipy's, on sound files; and on damaged ones, which end scipy's."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import savemat

from esl.data.formats.matlab import read_numbers
from esl.errors import InputError

ARRAYS: dict[str, Any] = {
    "text": "a word",
    "a": np.arange(300).reshape(3, 100),
    "b": np.array([[1.5, -2.0], [3e9, 0.0]]),
    "empty": np.zeros((0, 0)),
    "one": np.uint8([[7]]),
    "cell": np.array([1, "x"], dtype=object),
    "wide": np.array([2**40, -1]),
}


@pytest.mark.parametrize("compressed", [False, True])
def test_numbers_are_those_that_were_saved_column_by_column(tmp_path: Path, compressed: bool) -> None:
    savemat(tmp_path / "x.mat", ARRAYS, do_compression=compressed)
    for name in ("a", "b", "empty", "one", "wide"):
        expected = np.asarray(ARRAYS[name], dtype=np.float64).ravel(order="F")
        assert np.array_equal(read_numbers(tmp_path / "x.mat", name), expected), name
    with pytest.raises(InputError, match=r"x\.mat: holds no array 'c'; obtain it again"):
        read_numbers(tmp_path / "x.mat", "c")


def test_every_cut_and_every_flipped_byte_is_numbers_or_one_line(tmp_path: Path) -> None:
    """scipy's reader ends the interpreter on files with a flipped byte."""
    memory = io.BytesIO()
    savemat(memory, {"trainIds": np.arange(1, 4), "valIds": [[5.0]]})
    whole = memory.getvalue()
    damaged = [whole[:length] for length in range(len(whole))]
    damaged += [whole[:place] + bytes([byte]) + whole[place + 1 :] for place in range(len(whole)) for byte in (0, 255)]
    for content in damaged:
        (tmp_path / "x.mat").write_bytes(content)
        try:
            read_numbers(tmp_path / "x.mat", "valIds")
        except InputError as error:
            assert "x.mat" in str(error) and len(str(error).splitlines()) == 1
