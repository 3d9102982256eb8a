"""Where published weights come from: torchvision's cache; and what a file may do, which is nothing."""

import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision

from esl.errors import InputError
from esl.files import sha256_of_file
from esl.models.pretrained import load_pretrained
from tests.models.published_deeplabv2 import QUICK, TRUNK
from tests.models.test_deeplabv2_weights import assert_loaded, quick, refused, save


class _Malicious:
    def __init__(self, trace: Path) -> None:
        self._trace = trace

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self._trace}",)


def test_a_malicious_pickle_is_refused_and_never_run(tmp_path: Path) -> None:
    trace = tmp_path / "trace"
    content = {"Scale.conv1.weight": torch.zeros(3), "extra": _Malicious(trace)}
    paths = [save(content, tmp_path / f"{format_}.pth", format_) for format_ in ("zip", "old", "python2")]
    paths.append(tmp_path / "plain.pth")
    paths[-1].write_bytes(pickle.dumps(_Malicious(trace), protocol=2))
    for path in paths:
        refused(quick(), path, "not weights that can be loaded safely .it is damaged or holds more than tensors")
    assert not trace.exists()
    pickle.loads(paths[-1].read_bytes())
    assert trace.exists()  # the pickle does bite where it is loaded


def test_torchvisions_file_is_taken_from_its_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    theirs = torchvision.models.ResNet(torchvision.models.resnet.Bottleneck, list(QUICK)).state_dict()
    name = torchvision.models.ResNet101_Weights.IMAGENET1K_V2.url.rpartition("/")[2]
    (tmp_path / "checkpoints").mkdir()
    path = save(theirs, tmp_path / "checkpoints" / name)
    network = quick("torchvision")
    digest = load_pretrained("deeplabv2_resnet101_torchvision", network, "torchvision")
    assert digest == sha256_of_file(path)
    assert_loaded(network, {key: value for key, value in theirs.items() if key.startswith(TRUNK)})


def test_torchvisions_file_that_cannot_be_downloaded_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: Any, **__: Any) -> None:
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torchvision.models._api, "load_state_dict_from_url", unreachable)
    with pytest.raises(
        InputError, match=r"no such file, and https://.* cannot be reached \(no route to host\); put the"
    ):
        load_pretrained("deeplabv2_resnet101_torchvision", quick("torchvision"), "torchvision")
