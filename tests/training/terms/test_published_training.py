"""Training as ADVENT publishes it: two optimisers, two outputs, entropy or its adversary on the target."""

import math
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

import esl.training.loop
from esl.models.checkpoint import load_tensors
from esl.models.logits import Logits
from esl.training.feed import Batch, Streams
from esl.training.loop import train
from esl.training.resume import Row, Saving
from esl.training.settings import TrainSettings
from esl.training.terms.advent.adversary import Adversary
from esl.training.terms.advent.discriminator import Discriminator
from esl.training.terms.base import TermContext

CLASSES = 3
SETTINGS: dict[str, Any] = {
    "iterations": 4,
    "schedule": 10,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "source_batch": 1,
    "target_batch": 1,
    "batch_norm": "shared",
}
WEIGHTS = {"weight": 0.5, "auxiliary_weight": 0.25}
"""The weights of both terms."""


class TwoOutputs(nn.Module):
    """One convolution for each output, at stride 2."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first = nn.Conv2d(3, CLASSES, 3, 2, 1)
        self.second = nn.Conv2d(3, CLASSES, 3, 2, 1)

    def forward(self, x: Tensor) -> Logits:
        return Logits(self.first(x), self.second(x))


class Fixed(torch.utils.data.Dataset[tuple[Tensor, Tensor]]):
    """Random images of 64 x 32 and labels that depend on the position alone; a target's are mostly ignored."""

    def __init__(self, seed: int, ignored: float, labelled: bool = True) -> None:
        self._seed, self._ignored, self.labelled = seed, ignored, labelled

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(1000 * self._seed + position)
        image = torch.randint(0, 256, (3, 32, 64), generator=generator, dtype=torch.uint8)
        label = torch.randint(0, CLASSES, (32, 64), generator=generator, dtype=torch.uint8)
        label[torch.rand(label.shape, generator=generator) < self._ignored] = 255
        return image, label


SOURCE: Any = Fixed(1, 0.1)
TARGET: Any = Fixed(2, 0.7)


TrainSettingsOf = Callable[..., TrainSettings]


@pytest.fixture
def settings_of(train_settings: TrainSettingsOf) -> TrainSettingsOf:
    """``SETTINGS`` with a target term, or none, and single keys changed."""

    def settings_of(term: str | None = None, **changed: Any) -> TrainSettings:
        return train_settings(**SETTINGS, term=term, term_settings=WEIGHTS if term else {}, **changed)

    return settings_of


def _train(
    folder: Path, fabric: Fabric, settings: TrainSettings, every: int = 1000, target: Any = TARGET
) -> tuple[nn.Module, list[Row]]:
    network = TwoOutputs()
    torch.manual_seed(5)
    saving = Saving(folder / "last.pt", every, {"settings": 1})
    return network, train(network, Streams(SOURCE, target), settings, fabric=fabric, workers=0, saving=saving)


def _by_hand(term: str | None) -> tuple[nn.Module, list[list[float]]]:
    """The iterations of ADVENT's public code, written down with torch alone."""
    network = TwoOutputs()
    torch.manual_seed(5)
    discriminators = [Discriminator(CLASSES) for _ in range(2)] if term == "advent" else []
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, momentum=0.9, weight_decay=0.01)
    adams = [torch.optim.Adam(d.parameters(), lr=0.0001, betas=(0.9, 0.99)) for d in discriminators]
    bce, log = nn.BCEWithLogitsLoss(), []

    def maps(logits: Tensor) -> Tensor:
        p = nn.functional.interpolate(logits, size=(32, 64), mode="bilinear", align_corners=True).softmax(1)
        return -p * torch.log2(p + 1e-30) / math.log2(CLASSES)

    def entropy(logits: Tensor) -> Tensor:
        return maps(logits).sum(dim=1).mean()

    def cross_entropy(logits: Tensor, label: Tensor) -> Tensor:
        up = nn.functional.interpolate(logits, size=(32, 64), mode="bilinear", align_corners=True)
        return nn.functional.cross_entropy(up, label.long(), ignore_index=255)

    for iteration in range(4):
        factor = (1 - iteration / 10) ** 0.9
        for group in [*optimizer.param_groups, *(group for adam in adams for group in adam.param_groups)]:
            group["lr"] = (0.1 if group in optimizer.param_groups else 0.0001) * factor
        (image, label), (target, pseudo) = ((x[None], y[None]) for x, y in (SOURCE[iteration], TARGET[iteration]))
        source_logits, target_logits = network(image / 255), network(target / 255)
        source_loss = cross_entropy(source_logits.main, label) + 0.1 * cross_entropy(source_logits.auxiliary, label)
        target_loss = cross_entropy(target_logits.main, pseudo) + 0.1 * cross_entropy(target_logits.auxiliary, pseudo)
        adaptation = torch.zeros(())
        for weight, output, number in ((0.5, target_logits.main, 0), (0.25, target_logits.auxiliary, 1)):
            if term == "minent":
                adaptation = adaptation + weight * entropy(output)
            elif term == "advent":
                verdict = discriminators[number](maps(output))
                adaptation = adaptation + weight * bce(verdict, torch.zeros_like(verdict))
        optimizer.zero_grad()
        (source_loss + target_loss + adaptation).backward()
        optimizer.step()
        for discriminator, adam, number in zip(discriminators, adams, (0, 1), strict=False):
            adam.zero_grad()
            losses = []
            for logits, domain in ((source_logits, 0.0), (target_logits, 1.0)):
                verdict = discriminator(maps(logits[number].detach()))
                losses.append(bce(verdict, torch.full_like(verdict, domain)))
            (sum(losses) / 2).backward()
            adam.step()
        log.append([source_loss.item(), target_loss.item(), adaptation.item()])
    return network, log


@pytest.mark.parametrize("term", [None, "minent", "advent"])
def test_the_steps_are_those_of_the_published_training(
    tmp_path: Path, fabric: Fabric, settings_of: TrainSettingsOf, term: str | None
) -> None:
    ours, rows = _train(tmp_path, fabric, settings_of(term))
    theirs, log = _by_hand(term)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    for row, pair in zip(rows, (log[:2], log[2:]), strict=True):
        for name, values in zip(
            ("source_loss", "target_loss", "adaptation_loss"), zip(*pair, strict=True), strict=True
        ):
            assert row[name] == pytest.approx(sum(values) / 2, rel=1e-4)
    assert rows[0]["target_labelled"] == pytest.approx(0.3, abs=0.05)
    assert (rows[0]["adaptation_loss"] > 0) == (term is not None)


@pytest.mark.parametrize("term", ["minent", "advent"])
def test_a_target_without_label_files_trains_like_one_whose_labels_are_all_ignored(
    tmp_path: Path, fabric: Fabric, settings_of: TrainSettingsOf, term: str
) -> None:
    (read, rows), (spared, spared_rows) = (
        _train(tmp_path, fabric, settings_of(term), target=Fixed(2, 1.0, labelled)) for labelled in (True, False)
    )
    assert rows == spared_rows and rows[0]["target_loss"] == 0 < rows[0]["adaptation_loss"]
    assert all(torch.equal(a, b) for a, b in zip(read.parameters(), spared.parameters(), strict=True))


def test_a_term_changes_what_is_learnt(tmp_path: Path, fabric: Fabric, settings_of: TrainSettingsOf) -> None:
    networks = [_train(tmp_path, fabric, settings_of(term))[0] for term in (None, "minent", "advent")]
    flat = [torch.cat([p.detach().ravel() for p in network.parameters()]) for network in networks]
    assert not torch.equal(flat[0], flat[1]) and not torch.equal(flat[0], flat[2]) and not torch.equal(flat[1], flat[2])


def test_the_discriminator_learns_nothing_from_the_networks_loss(fabric: Fabric) -> None:
    network = TwoOutputs()
    adversary = Adversary(0.1, TermContext(network, network, fabric, label_stride=1, decay=lambda iteration: 0.5))

    def weights() -> list[dict[str, Tensor]]:
        return [
            {name: value.clone() for name, value in part.items()} for part in adversary.state_dict()["discriminators"]
        ]

    before, label = weights(), torch.zeros(1, 32, 64)
    losses = adversary.losses(network(torch.rand(1, 3, 32, 64)), label)
    torch.stack(losses).sum().backward()
    assert len(losses) == 2 and network.first.weight.grad is not None
    for now, old in zip(weights(), before, strict=True):
        assert all(torch.equal(now[name], value) for name, value in old.items())
    logits = network(torch.rand(1, 3, 32, 64))
    adversary.step((logits, label), (logits, label))
    assert any(not torch.equal(weights()[0][name], value) for name, value in before[0].items())


def test_two_accumulated_batches_equal_one_of_twice_the_size(
    tmp_path: Path, fabric: Fabric, train_settings: TrainSettingsOf
) -> None:
    """Where every pixel is labelled, so that means of halves are halves of the mean."""
    full: Any = Fixed(3, 0.0)
    networks = []
    for batch, accumulate in ((2, 1), (1, 2)):
        network = TwoOutputs()
        changed = SETTINGS | {"source_batch": batch, "target_batch": batch, "accumulate": accumulate}
        saving = Saving(tmp_path / "last.pt", 1000, {})
        train(network, Streams(full, full), train_settings(**changed), fabric=fabric, workers=0, saving=saving)
        networks.append(network)
    for a, b in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("term", [None, "advent"])
def test_sigterm_saves_between_two_iterations_and_the_training_goes_on_to_the_same_bytes(
    tmp_path: Path, fabric: Fabric, settings_of: TrainSettingsOf, monkeypatch: pytest.MonkeyPatch, term: str | None
) -> None:
    whole, rows = _train(tmp_path, fabric, settings_of(term))
    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(esl.training.loop, "feed", _terminating(esl.training.loop.feed, at=3))
        with pytest.raises(SystemExit) as ended:
            _train(tmp_path, fabric, settings_of(term))
    assert ended.value.code == 143
    assert load_tensors(tmp_path / "last.pt")["progress"]["iteration"] == 3
    assert signal.getsignal(signal.SIGTERM) == handler
    resumed, resumed_rows = _train(tmp_path, fabric, settings_of(term))
    assert resumed_rows == rows
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def _terminating(feed: Any, at: int) -> Any:
    """The feed, which sends SIGTERM to its own process with its ``at``-th batch."""

    def terminating(*args: Any, **keywords: Any) -> Iterator[Batch]:
        for number, batch in enumerate(feed(*args, **keywords), start=1):
            if number == at:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    return terminating
