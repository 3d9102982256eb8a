"""Networks of segmentation-models-pytorch in the stages: trained, killed, resumed, inferred, evaluated."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import pytest
import torch

from esl.data.index import Index
from esl.files import read_json, write_json
from esl.models.registry import PACKAGE
from esl.stages import evaluate, infer
from esl.stages.train import main
from esl.training.feed import Batch
from esl.training.step import Step

CPU = {"accelerator": "cpu", "precision": "32-true"}


@pytest.mark.parametrize(
    ("network", "pretrained"),
    [
        ("smp/dpt/tu-vit_small_patch14_dinov2.lvd142m", None),
        ("smp/segformer/mit_b0", None),
        ("lite0_fpn", PACKAGE),
    ],
)
def test_it_trains_resumes_to_the_same_bytes_infers_and_is_evaluated(
    tmp_path: Path,
    small_index: Index,
    train_settings: Callable[..., Any],
    train_words: Callable[..., list[str]],
    monkeypatch: pytest.MonkeyPatch,
    network: str,
    pretrained: str | None,
) -> None:
    index = tmp_path / "index.json"
    write_json(index, small_index.to_json())
    settings = train_settings(network=network, pretrained=pretrained, iterations=4)
    flags = {"index": index, "save-every": 3}
    whole, resumed = tmp_path / "whole/checkpoint.pt", tmp_path / "resumed/checkpoint.pt"
    main(train_words(whole, settings, flags))
    step = Step.__call__

    def dying(self: Step, iteration: int, batches: list[Batch]) -> torch.Tensor:
        if iteration == 3:
            raise KeyboardInterrupt
        return step(self, iteration, batches)

    with monkeypatch.context() as patch:
        patch.setattr(Step, "__call__", dying)
        with pytest.raises(KeyboardInterrupt):
            main(train_words(resumed, settings, flags))
    main(train_words(resumed, settings, flags))
    assert resumed.read_bytes() == whole.read_bytes()

    shard, scores = tmp_path / "maps/1-of-1.h5", tmp_path / "miou.json"
    common = ["--checkpoint", str(whole), "--index", str(index), "--threads", "1", "--settings"]
    settings_of_maps = json.dumps({"size": "own", "batch_size": 1, "compute": CPU})
    infer.main([*common, settings_of_maps, "--shard", "1-of-1", "--output", str(shard)])
    with h5py.File(shard) as file:
        assert len(file["id"]) == len(small_index.samples)
        height, width = file["label"].shape[1:]
        assert file["probability"].shape[2:] == (-(-height // 4), -(-width // 4))
    evaluate.main([*common, settings_of_maps, "--output", str(scores)])
    assert 0 <= read_json(scores)["miou"]["cityscapes19"] <= 1
