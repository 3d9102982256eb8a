"""The inference stage: its shards share out the samples, and what they hold does not depend on how many there are."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from esl.classes import CLASS_SETS
from esl.confidence import INTERPOLATION
from esl.datasets.index import Index
from esl.errors import InputError
from esl.files import sha256_of_file, write_json
from esl.maps import MEASURES, OPTIONAL_MAPS, Origin, open_shard, same_origin
from esl.models import build_network
from esl.models.checkpoint import Description, save_checkpoint
from esl.stages.infer import main


@pytest.fixture
def run(tmp_path: Path, small_index: Index, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    torch.manual_seed(0)
    checkpoint, index = tmp_path / "checkpoint.pt", tmp_path / "index.json"
    save_checkpoint(checkpoint, build_network("small", 19), Description("small", "cityscapes19", {}, {}))
    write_json(index, small_index.to_json())

    def run(shard: str) -> Path:
        output = tmp_path / "maps" / f"{shard}.h5"
        flags = f"--checkpoint {checkpoint} --index {index} --output {output} --shard {shard} --size own --batch-size 1"
        flags += " --accelerator cpu --precision 32-true --threads 1"
        monkeypatch.setattr(sys, "argv", ["infer", *flags.split()])
        main()
        return output

    return run


def test_shards_hold_every_sample_once_and_together_what_one_shard_holds(
    tmp_path: Path, run: Callable[[str], Path], small_index: Index
) -> None:
    whole, *parts = (run(shard) for shard in ("1-of-1", "1-of-3", "2-of-3", "3-of-3"))
    digest = sha256_of_file(tmp_path / "checkpoint.pt")
    assert same_origin([whole, *parts]) == Origin(CLASS_SETS["cityscapes19"].classes, digest, INTERPOLATION)
    found, histograms = {}, dict.fromkeys(MEASURES, 0)
    for path in parts:
        with open_shard(path) as shard:
            for row, id_ in enumerate(shard.ids):
                assert id_ not in found
                found[id_] = shard.maps(row, ("label", *OPTIONAL_MAPS))
            for measure in MEASURES:
                histograms[measure] = histograms[measure] + shard.histogram(measure)
    with open_shard(whole) as shard:
        assert shard.ids == [sample.id for sample in small_index.samples] == sorted(found)
        for row, id_ in enumerate(shard.ids):
            maps = shard.maps(row, ("label", *OPTIONAL_MAPS))
            assert all(np.array_equal(maps[name], found[id_][name]) for name in maps)
        for measure in MEASURES:
            assert np.array_equal(shard.histogram(measure), histograms[measure])


def test_more_shards_than_pictures_are_refused_with_the_key_to_mend(run: Callable[[str], Path]) -> None:
    with pytest.raises(InputError, match=r"inference\.shards: 6 shards for only 5 pictures"):
        run("6-of-6")
