"""The adapt stage: a checkpoint like any other, which says where it comes from."""

import sys
from pathlib import Path

import pytest
import torch

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.files import sha256_of_file, write_json
from esl.models.checkpoint import Description, load_checkpoint, save_checkpoint
from esl.models.registry import build_network
from esl.stages.adapt import main


def test_the_adapted_checkpoint_names_its_origin_and_is_the_same_every_time(
    tmp_path: Path, small_index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_json(tmp_path / "index.json", small_index.to_json())
    torch.manual_seed(0)
    source = tmp_path / "source.pt"
    description = Description(
        "small", "cityscapes19", CLASS_SETS["cityscapes19"].classes, {"iterations": 7}, {"labelled": "abc"}
    )
    save_checkpoint(source, build_network("small", 19), description)
    inputs = f"--checkpoint {source} --index {tmp_path / 'index.json'}"
    how = "--size own --crop 24x16 --min-scale 0.5 --batch-size 2 --seed 0 --workers 0 --threads 1"
    for name in ("once.pt", "twice.pt"):
        words = f"{inputs} {how} --accelerator cpu --precision bf16-mixed --output {tmp_path / name}"
        monkeypatch.setattr(sys, "argv", ["adapt", *words.split()])
        main()
    assert (tmp_path / "once.pt").read_bytes() == (tmp_path / "twice.pt").read_bytes()
    network, adapted = load_checkpoint(tmp_path / "once.pt", CLASS_SETS["cityscapes19"])
    assert adapted.settings == {"iterations": 7, "adaptation": "abn"}
    assert adapted.provenance == {
        "labelled": "abc",
        "initial": sha256_of_file(source),
        "target_pictures": small_index.picture_fingerprint(),
    }
    original, _ = load_checkpoint(source, CLASS_SETS["cityscapes19"])
    assert all(torch.equal(a, b) for a, b in zip(network.parameters(), original.parameters(), strict=True))
