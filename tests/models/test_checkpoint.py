"""The checkpoint: the same content gives the same bytes, and nothing doubtful is ever loaded."""

import json
import os
import pickle
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from esl.data.class_sets import CLASS_SETS
from esl.errors import InputError
from esl.models.checkpoint import Description, load_checkpoint, load_tensors, save_checkpoint, save_tensors
from esl.models.registry import NETWORKS, NetworkEntry


class Tiny(nn.Module):
    """A network small enough to save and cut a hundred times."""

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(3, num_classes, 3, padding=1), nn.BatchNorm2d(num_classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(x)  # type: ignore[no-any-return]


DESCRIPTION = Description(
    "tiny",
    "cityscapes19",
    CLASS_SETS["cityscapes19"].classes,
    {"iterations": 7, "crop": [32, 16], "rate": 0.1},
    {"code": "ab12"},
)


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> nn.Module:
    monkeypatch.setitem(NETWORKS, "tiny", NetworkEntry(f"{__name__}:Tiny"))
    torch.manual_seed(0)
    network = Tiny(19)
    network(torch.rand(2, 3, 8, 8))  # moves the running statistics of batch norm
    return network


def test_a_checkpoint_reads_back_to_the_last_bit_in_evaluation_mode(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "checkpoint.pt", tiny.state_dict(), DESCRIPTION)
    network, description = load_checkpoint(tmp_path / "checkpoint.pt", CLASS_SETS["cityscapes19"])
    assert description == DESCRIPTION
    assert not any(module.training for module in network.modules())
    assert network.state_dict().keys() == tiny.state_dict().keys()
    for name, value in network.state_dict().items():
        assert torch.equal(value, tiny.state_dict()[name]), name


def test_torch_loads_it_with_weights_only(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "checkpoint.pt", tiny.state_dict(), DESCRIPTION)
    content = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    assert content["description"] == json.loads(json.dumps(asdict(DESCRIPTION)))
    assert content["weights"].keys() == tiny.state_dict().keys()


def test_the_same_content_gives_the_same_bytes_under_any_name_and_layout_in_memory(
    tmp_path: Path, tiny: nn.Module
) -> None:
    save_checkpoint(tmp_path / "a.pt", tiny.state_dict(), DESCRIPTION)
    save_checkpoint(
        tmp_path / "folder" / "other.pt", tiny.to(memory_format=torch.channels_last).state_dict(), DESCRIPTION
    )
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "folder" / "other.pt").read_bytes()
    network, description = load_checkpoint(tmp_path / "a.pt", CLASS_SETS["cityscapes19"])
    save_checkpoint(tmp_path / "again.pt", network.state_dict(), description)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "again.pt").read_bytes()


def test_equal_descriptions_give_the_same_bytes_whatever_objects_they_are_made_of(
    tmp_path: Path, tiny: nn.Module
) -> None:
    word = "".join(["sha", "256"])
    shared = replace(DESCRIPTION, provenance={"initial": word, "pseudo_labels": word})
    read = json.loads(json.dumps(asdict(shared)))
    apart = Description(**{**read, "classes": tuple(read["classes"])})
    assert apart == shared
    save_checkpoint(tmp_path / "a.pt", tiny.state_dict(), shared)
    save_checkpoint(tmp_path / "b.pt", tiny.state_dict(), apart)
    assert (tmp_path / "a.pt").read_bytes() == (tmp_path / "b.pt").read_bytes()


def test_another_weight_gives_other_bytes(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "a.pt", tiny.state_dict(), DESCRIPTION)
    with torch.no_grad():
        next(tiny.parameters()).view(-1)[0] += 1e-6
    save_checkpoint(tmp_path / "b.pt", tiny.state_dict(), DESCRIPTION)
    assert (tmp_path / "a.pt").read_bytes() != (tmp_path / "b.pt").read_bytes()


def test_a_truncated_checkpoint_is_refused_by_name_wherever_it_was_cut(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "whole.pt", tiny.state_dict(), DESCRIPTION)
    whole = (tmp_path / "whole.pt").read_bytes()
    for length in {*range(1, 10), *range(10, len(whole), len(whole) // 60), len(whole) - 1}:
        (tmp_path / "cut.pt").write_bytes(whole[:length])
        with pytest.raises(InputError, match=r"cut\.pt: not a checkpoint that can be loaded safely"):
            load_checkpoint(tmp_path / "cut.pt", CLASS_SETS["cityscapes19"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello world\n",
        b"\x89PNG\r\n\x1a\n",
        b"<html>",
        bytes(1000),
    ],
)
def test_a_file_that_is_not_a_checkpoint_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bad.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.pt"):
        load_checkpoint(tmp_path / "bad.pt", CLASS_SETS["cityscapes19"])


def test_a_flipped_bit_in_the_weights_never_reads_silently(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "checkpoint.pt", tiny.state_dict(), DESCRIPTION)
    content = bytearray((tmp_path / "checkpoint.pt").read_bytes())
    weight = next(tiny.parameters()).detach().numpy().tobytes()
    content[content.index(weight) + 3] ^= 0x40
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(InputError, match=r"checkpoint\.pt"):
        load_checkpoint(tmp_path / "checkpoint.pt", CLASS_SETS["cityscapes19"])


def test_a_missing_checkpoint_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.pt: no such checkpoint"):
        load_checkpoint(tmp_path / "none.pt", CLASS_SETS["cityscapes19"])


class _Malicious:
    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._trace}",)


def test_a_malicious_pickle_is_refused_and_never_run(tmp_path: Path, tiny: nn.Module) -> None:
    trace = tmp_path / "trace"
    content = {"format_version": 2, "description": asdict(DESCRIPTION), "weights": tiny.state_dict()}
    torch.save({**content, "extra": _Malicious(trace)}, tmp_path / "new.pt")
    (tmp_path / "old.pt").write_bytes(pickle.dumps(_Malicious(trace), protocol=2))
    for name in ("new.pt", "old.pt"):
        with pytest.raises(InputError, match=rf"{name[:3]}\.pt: not a checkpoint that can be loaded safely") as refusal:
            load_checkpoint(tmp_path / name, CLASS_SETS["cityscapes19"])
        assert "weights_only" not in str(refusal.value)  # no advice to load it all the same
    assert not trace.exists()
    pickle.loads((tmp_path / "old.pt").read_bytes())
    assert trace.exists()  # the pickle does bite where it is loaded


def test_weights_of_another_network_or_number_of_classes_are_refused_by_name(tmp_path: Path, tiny: nn.Module) -> None:
    path = tmp_path / "checkpoint.pt"
    for network, description in ((Tiny(16), DESCRIPTION), (tiny, replace(DESCRIPTION, network="small"))):
        save_checkpoint(path, network.state_dict(), description)
        with pytest.raises(InputError, match=r"checkpoint\.pt: weights of another network"):
            load_checkpoint(path, CLASS_SETS["cityscapes19"])


def test_a_checkpoint_of_another_class_set_is_refused_by_name(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "checkpoint.pt", tiny.state_dict(), replace(DESCRIPTION, class_set="synthia16"))
    with pytest.raises(InputError, match=r"checkpoint\.pt: a model of 'synthia16' \(19 classes\), but the data are of"):
        load_checkpoint(tmp_path / "checkpoint.pt", CLASS_SETS["cityscapes19"])


def test_an_unknown_network_is_refused_by_name(tmp_path: Path, tiny: nn.Module) -> None:
    save_checkpoint(tmp_path / "checkpoint.pt", tiny.state_dict(), replace(DESCRIPTION, network="enormous"))
    with pytest.raises(InputError, match=r"checkpoint\.pt.*enormous"):
        load_checkpoint(tmp_path / "checkpoint.pt", CLASS_SETS["cityscapes19"])


@pytest.mark.parametrize("version", [None, 1, 3])
def test_another_format_version_is_refused_by_name(tmp_path: Path, version: int | None) -> None:
    save_tensors(tmp_path / "last.pt", {"format_version": version, "progress": {}})
    with pytest.raises(InputError, match=r"last\.pt: expected a checkpoint of format 2"):
        load_checkpoint(tmp_path / "last.pt", CLASS_SETS["cityscapes19"])


def test_a_bare_tensor_is_not_a_checkpoint(tmp_path: Path) -> None:
    torch.save(torch.zeros(3), tmp_path / "tensor.pt")
    with pytest.raises(InputError, match=r"tensor\.pt: expected a checkpoint of this project, but it holds a Tensor"):
        load_tensors(tmp_path / "tensor.pt")
