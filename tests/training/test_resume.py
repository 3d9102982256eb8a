"""An interrupted training ends as if it had never been interrupted."""

import copy
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from esl.data.stream import Stream
from esl.errors import InputError
from esl.models.checkpoint import load_tensors, save_tensors
from esl.models.network import as_input
from esl.training.terms.base import TargetBatch, TargetTerm, TermContext


def _same_weights(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


@pytest.mark.parametrize("every", [2, 3])
def test_an_interrupted_training_ends_in_the_same_weights_and_log(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream, every: int
) -> None:
    """With states every 2 iterations, the log's rows of 3 are cut in the middle; every 3, between two rows."""
    whole, resumed = tiny(), tiny()
    expected = run(whole, source, target)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=5), source, target, every=every)
    assert load_tensors(tmp_path / "last.pt")["progress"]["iteration"] == 4 - every % 2
    assert run(resumed, source, target, every=every) == expected
    assert _same_weights(resumed, whole)


def test_a_training_interrupted_several_times_ends_in_the_same_weights(
    tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    whole = tiny()
    expected = run(whole, source, target)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run(tiny(dies_at=2), source, target, every=1)
    resumed = tiny()
    assert run(resumed, source, target, every=1) == expected
    assert _same_weights(resumed, whole)


def test_a_network_with_dropout_resumes_to_the_same_weights(
    tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    """Its draws are those of a training that was never interrupted."""
    whole, resumed = tiny(dropout=0.5), tiny(dropout=0.5)
    expected = run(whole, source, target)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=5, dropout=0.5), source, target, every=2)
    torch.manual_seed(77)
    assert run(resumed, source, target, every=2) == expected
    assert _same_weights(resumed, whole)


class Teacher(TargetTerm):
    """A mean teacher: the network agrees with a running average of itself on brighter images of the target."""

    def __init__(self, context: TermContext) -> None:
        self._model, self._network = context.model, context.network
        self.average = copy.deepcopy(context.network).requires_grad_(False)
        self.steps: list[int] = []

    def loss(self, batch: TargetBatch) -> Tensor:
        brighter = self._model(as_input(batch.image // 2 + 128)).main
        return 10 * (brighter - self.average(as_input(batch.image)).main).square().mean()

    def after_step(self, batch: TargetBatch) -> None:
        self.steps.append(batch.iteration)
        for mean, value in zip(self.average.parameters(), self._network.parameters(), strict=True):
            mean.lerp_(value.detach(), 0.1)

    def state_dict(self) -> dict[str, Any]:
        return {"average": self.average.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.average.load_state_dict(state["average"])
        self.steps = state["steps"]


def test_a_term_with_a_teacher_of_its_own_resumes_to_the_same_weights(
    tiny: Any, run: Any, source: Stream, target: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such a term needs the raw images, the network, a call after each step, and a state."""
    terms = []

    def build_term(name: str, values: dict[str, Any], context: TermContext) -> Teacher:
        terms.append(Teacher(context))
        return terms[-1]

    plain, whole, resumed = tiny(), tiny(), tiny()
    run(plain, source, target)
    monkeypatch.setattr("esl.training.loop.build_term", build_term)
    expected = run(whole, source, target, term="teacher")
    assert expected[0]["adaptation_loss"] > 0 and not _same_weights(plain, whole)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=6), source, target, every=2, term="teacher")  # three passes an iteration: in the fifth
    assert run(resumed, source, target, every=2, term="teacher") == expected
    assert _same_weights(resumed, whole) and _same_weights(terms[0].average, terms[2].average)
    assert terms[0].steps == terms[2].steps == [*range(8)]


def test_a_resumed_training_does_not_start_over(tiny: Any, run: Any, source: Stream, target: Stream) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=6), source, target, every=2)
    run(tiny(dies_at=3), source, target, every=2)  # iterations 6 and 7 are all that is left


def test_a_state_of_another_identity_is_not_used(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = tiny()
    expected = run(fresh, source, target)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=5), source, target, every=2, identity={"crop": (16, 8), "seed": 1})
    other = tiny()
    assert run(other, source, target) == expected
    assert _same_weights(other, fresh)
    assert f"{tmp_path / 'last.pt'}: of a training with other settings or inputs" in capsys.readouterr().err


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty"])
def test_a_training_with_a_damaged_state_says_so_and_starts_again(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream, capsys: pytest.CaptureFixture[str], damage: str
) -> None:
    fresh = tiny()
    expected = run(fresh, source, target)
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=5), source, target, every=2)
    content = bytearray((tmp_path / "last.pt").read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "last.pt").write_bytes({"cut": content[: len(content) // 2], "flipped": content, "empty": b""}[damage])
    again = tiny()
    assert run(again, source, target) == expected and _same_weights(again, fresh)
    said = capsys.readouterr().err
    assert f"{tmp_path / 'last.pt'}: not a saved state that can be loaded safely" in said and "starting again" in said


@pytest.mark.parametrize(
    "change",
    [
        {"progress": {"iteration": 8}},
        {"progress": {"iteration": -1}},
        {"progress": {"iteration": 4, "more": 1}},
        {"progress": None},
        {"parts": {}},
        {"parts": None},
        {"sums": "many"},
        {"sums": torch.zeros(4, dtype=torch.int64)},
        {"progress": {"iteration": 4, "counted": 3}},
        {"progress": {"iteration": True}},
        {"progress": {"iteration": 2**70}},
        {"progress": {"counted": -1}},
        {"progress": {"rows": "none"}},
        {"progress": {"rows": [{"iteration": 3}]}},
        {"progress": {"learning_rate": -0.1}},
        {"progress": {"learning_rate": "a\nb"}},
        {"parts": {"network": [1]}},
    ],
    ids=str,
)
def test_a_state_that_does_not_fit_its_training_is_refused_by_name(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream, change: dict[str, Any]
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=5), source, target, every=2)
    content = load_tensors(tmp_path / "last.pt")
    changed = {
        key: {**content[key], **value} if isinstance(value, dict) and value else value for key, value in change.items()
    }
    save_tensors(tmp_path / "last.pt", {**content, **changed})
    with pytest.raises(InputError, match=r"last\.pt: not a state of this training .*; delete it and run again"):
        run(tiny(), source, target)


def test_a_state_whose_identity_holds_tensors_starts_again(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(tiny(dies_at=5), source, target, every=2, identity={"seed": 1})
    content = load_tensors(tmp_path / "last.pt")
    save_tensors(tmp_path / "last.pt", {**content, "identity": {"seed": torch.ones(2)}})
    network, fresh = tiny(), tiny()
    rows = run(network, source, target, identity={"seed": 1})
    (tmp_path / "last.pt").unlink()
    assert run(fresh, source, target, identity={"seed": 1}) == rows and _same_weights(network, fresh)


def test_a_state_that_is_not_one_of_ours_starts_again(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    save_tensors(tmp_path / "last.pt", {"weights": torch.zeros(3)})
    network, fresh = tiny(), tiny()
    rows = run(network, source, target)
    (tmp_path / "last.pt").unlink()
    assert run(fresh, source, target) == rows and _same_weights(network, fresh)
