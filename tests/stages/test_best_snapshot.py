"""Snapshots of a training, and the best of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from esl.data.class_sets import CLASS_SETS
from esl.data.index import Index
from esl.errors import InputError
from esl.files import write_json
from esl.models.checkpoint import load_checkpoint, save_checkpoint
from esl.models.snapshots import snapshot_path
from esl.stages import best_snapshot, evaluate, train
from esl.training.settings import TrainSettings

DEVICE = {"accelerator": "cpu", "precision": "32-true"}
EVALUATION = json.dumps({"size": "own", "batch_size": 1, "compute": DEVICE})
Train = Callable[[int, int], Path]


@pytest.fixture
def trained(tmp_path: Path, small_index: Index, train_settings: Callable[..., TrainSettings]) -> Train:
    """Trains for some iterations, with snapshots every so many."""
    write_json(tmp_path / "index.json", small_index.to_json())

    def trained(iterations: int, every: int) -> Path:
        output = tmp_path / "source" / "checkpoint.pt"
        flags = (
            f"--index {tmp_path / 'index.json'} --output {output} --save-every 2 --snapshot-every {every} --threads 1"
        )
        train.main([*flags.split(), "--settings", train_settings(iterations=iterations).canonical()])
        return output

    return trained


def _scored(checkpoint: Path, stage: Callable[[list[str]], None]) -> dict[str, Any]:
    output = checkpoint.with_suffix(".json")
    index = checkpoint.parents[1] / "index.json"
    if not index.exists():
        index = checkpoint.parents[2] / "index.json"
    flags = f"--checkpoint {checkpoint} --index {index} --output {output} --threads 1"
    stage([*flags.split(), "--settings", EVALUATION])
    content: dict[str, Any] = json.loads(output.read_text())
    return content


def _names(checkpoint: Path) -> list[str]:
    return sorted(path.name for path in checkpoint.with_name("snapshots").glob("*"))


def test_the_best_of_the_snapshots_and_the_last_is_named_with_all_candidates(trained: Train) -> None:
    checkpoint = trained(7, 2)
    assert _names(checkpoint) == ["0000002.pt", "0000004.pt", "0000006.pt"]
    paths = {**{number: snapshot_path(checkpoint, number) for number in (2, 4, 6)}, 7: checkpoint}
    expected = {number: _scored(path, evaluate.main) for number, path in paths.items()}
    figures = {number: result["miou"]["cityscapes19"] for number, result in expected.items()}
    assert len(set(figures.values())) == 4
    content = _scored(checkpoint, best_snapshot.main)
    best = max(figures, key=lambda number: figures[number])
    assert content["iteration"] == best and content["chosen_by"] == best_snapshot.CHOSEN_BY
    assert content["candidates"] == [{"iteration": number, "miou": value} for number, value in figures.items()]
    assert {name: content[name] for name in expected[best]} == expected[best]


def test_snapshots_of_a_resumed_training_are_the_same_and_old_ones_are_removed(trained: Train) -> None:
    checkpoint = trained(7, 3)
    one, _ = load_checkpoint(snapshot_path(checkpoint, 3), CLASS_SETS["cityscapes19"])
    again = trained(7, 0)  # trains again, and keeps none of the old
    assert _names(again) == []
    with pytest.raises(KeyboardInterrupt), pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "save_checkpoint", _interrupted)
        trained(7, 3)
    resumed = trained(7, 3)
    assert _names(resumed) == ["0000003.pt", "0000006.pt"]
    other, description = load_checkpoint(snapshot_path(resumed, 3), CLASS_SETS["cityscapes19"])
    assert description.provenance["iteration"] == 3
    assert str(one.state_dict()) == str(other.state_dict())


def _interrupted(path: Path, *content: object) -> None:
    """Dies at the second snapshot, whose state is not saved yet."""
    if path.name == "0000006.pt":
        raise KeyboardInterrupt
    save_checkpoint(path, *content)  # type: ignore[arg-type]


def test_snapshots_of_another_training_or_none_are_refused(trained: Train) -> None:
    checkpoint = trained(3, 0)
    with pytest.raises(InputError, match=r"its training kept no snapshots; set training\.snapshot_every"):
        _scored(checkpoint, best_snapshot.main)
    network, description = load_checkpoint(checkpoint, CLASS_SETS["cityscapes19"])
    foreign = replace(description, provenance={**description.provenance, "code": "other", "iteration": 2})
    save_checkpoint(snapshot_path(checkpoint, 2), network.state_dict(), foreign)
    with pytest.raises(InputError, match=r"0000002\.pt: belongs to another training than"):
        _scored(checkpoint, best_snapshot.main)
