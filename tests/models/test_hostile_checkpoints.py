"""Checkpoints and weights that load, but hold what no training writes: one line that names the file."""

from pathlib import Path
from typing import Any

import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.errors import InputError
from esl.models.checkpoint import load_checkpoint, save_tensors
from esl.models.weights import read_tensors

CLASSES = CLASS_SETS["cityscapes19"]
DESCRIPTION = {
    "network": "small",
    "class_set": CLASSES.name,
    "classes": [*CLASSES.classes],
    "settings": {},
    "provenance": {},
}


@pytest.mark.parametrize(
    "change",
    [
        {"format_version": torch.zeros(2)},
        {"description": None},
        {"description": {}},
        {"description": DESCRIPTION | {"more": 1}},
        {"description": DESCRIPTION | {"network": 7}},
        {"description": DESCRIPTION | {"network": "x" * 5000}},
        {"description": DESCRIPTION | {"settings": {"rate": float("nan")}}},
        {"description": DESCRIPTION | {"settings": {"rate": torch.zeros(1)}}},
        {"weights": None},
        {"weights": {"x": 1}},
        {"weights": {"x": torch.tensor(float("nan"))}},
        {"weights": {"x": torch.eye(2).to_sparse()}},
        {"weights": {"x": torch.zeros(1).expand(10**12)}},
    ],
)
def test_a_checkpoint_of_odd_values_is_refused_in_one_line(tmp_path: Path, change: dict[str, Any]) -> None:
    content = {"format_version": 2, "description": DESCRIPTION, "weights": {}} | change
    save_tensors(tmp_path / "a.pt", content)
    with pytest.raises(InputError, match=r"a\.pt: ") as caught:
        load_checkpoint(tmp_path / "a.pt", CLASSES)
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 1000


def test_what_is_finite_is_read(tmp_path: Path) -> None:
    save_tensors(tmp_path / "a.pt", {"x": [torch.ones(2), torch.tensor([True]), 1.5, "a"]})
    assert read_tensors(tmp_path / "a.pt", kind="a file", fix="x")["x"][2:] == [1.5, "a"]
