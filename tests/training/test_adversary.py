"""Training as ADVENT publishes it: two optimisers, two outputs, entropy or its adversary on the target."""

import math
import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

import esl.training.loop
from esl.models.checkpoint import load_tensors
from esl.models.logits import Logits
from esl.training.loop import Row, Saving, TrainingSettings, train
from esl.training.terms.advent.adversary import Adversary
from esl.training.terms.advent.discriminator import Discriminator

CLASSES = 3
SETTINGS = TrainingSettings(
    seed=0,
    iterations=4,
    schedule=10,
    optimizer="sgd",
    learning_rate=0.1,
    momentum=0.9,
    weight_decay=0.01,
    power=0.9,
    source_batch=1,
    target_batch=1,
    accumulate=1,
    pseudo_label_weight=1.0,
    auxiliary_weight=0.1,
    adaptation="none",
    adaptation_weight=0.5,
    auxiliary_adaptation_weight=0.25,
    discriminator_rate=0.0001,
    label_stride=1,
    compile=False,
    batch_norm="shared",
    log_every=2,
)


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
    """Random pictures of 64 x 32 and labels that depend on the position alone; a target's are mostly ignored."""

    def __init__(self, seed: int, ignored: float, labelled: bool = True) -> None:
        self._seed, self._ignored, self.labelled = seed, ignored, labelled

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        generator = torch.Generator().manual_seed(1000 * self._seed + position)
        picture = torch.randint(0, 256, (3, 32, 64), generator=generator, dtype=torch.uint8)
        label = torch.randint(0, CLASSES, (32, 64), generator=generator, dtype=torch.uint8)
        label[torch.rand(label.shape, generator=generator) < self._ignored] = 255
        return picture, label


SOURCE: Any = Fixed(1, 0.1)
TARGET: Any = Fixed(2, 0.7)


def _train(
    folder: Path, fabric: Fabric, settings: TrainingSettings, every: int = 1000, target: Any = TARGET
) -> tuple[nn.Module, list[Row]]:
    network = TwoOutputs()
    torch.manual_seed(5)
    saving = Saving(folder / "last.pt", every, {"settings": 1})
    return network, train(network, SOURCE, target, settings, fabric=fabric, workers=0, saving=saving)


def _by_hand(settings: TrainingSettings) -> tuple[nn.Module, list[list[float]]]:
    """The iterations of ADVENT's public code, written down with torch alone."""
    network = TwoOutputs()
    torch.manual_seed(5)
    discriminators = [Discriminator(CLASSES) for _ in range(2)] if settings.adaptation == "advent" else []
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

    for iteration in range(settings.iterations):
        factor = (1 - iteration / 10) ** 0.9
        for group in [*optimizer.param_groups, *(group for adam in adams for group in adam.param_groups)]:
            group["lr"] = (0.1 if group in optimizer.param_groups else 0.0001) * factor
        (picture, label), (target, pseudo) = ((x[None], y[None]) for x, y in (SOURCE[iteration], TARGET[iteration]))
        source_logits, target_logits = network(picture / 255), network(target / 255)
        source_loss = cross_entropy(source_logits.main, label) + 0.1 * cross_entropy(source_logits.auxiliary, label)
        target_loss = cross_entropy(target_logits.main, pseudo) + 0.1 * cross_entropy(target_logits.auxiliary, pseudo)
        adaptation = torch.zeros(())
        for weight, output, number in ((0.5, target_logits.main, 0), (0.25, target_logits.auxiliary, 1)):
            if settings.adaptation == "minent":
                adaptation = adaptation + weight * entropy(output)
            elif settings.adaptation == "advent":
                judged = discriminators[number](maps(output))
                adaptation = adaptation + weight * bce(judged, torch.zeros_like(judged))
        optimizer.zero_grad()
        (source_loss + target_loss + adaptation).backward()
        optimizer.step()
        for discriminator, adam, number in zip(discriminators, adams, (0, 1), strict=False):
            adam.zero_grad()
            losses = []
            for logits, domain in ((source_logits, 0.0), (target_logits, 1.0)):
                judged = discriminator(maps(logits[number].detach()))
                losses.append(bce(judged, torch.full_like(judged, domain)))
            (sum(losses) / 2).backward()
            adam.step()
        log.append([source_loss.item(), target_loss.item(), adaptation.item()])
    return network, log


@pytest.mark.parametrize("adaptation", ["none", "minent", "advent"])
def test_the_steps_are_those_of_the_published_training(tmp_path: Path, fabric: Fabric, adaptation: Any) -> None:
    settings = replace(SETTINGS, adaptation=adaptation)
    ours, rows = _train(tmp_path, fabric, settings)
    theirs, log = _by_hand(settings)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)
    for row, pair in zip(rows, (log[:2], log[2:]), strict=True):
        for name, values in zip(
            ("source_loss", "target_loss", "adaptation_loss"), zip(*pair, strict=True), strict=True
        ):
            assert row[name] == pytest.approx(sum(values) / 2, rel=1e-4)
    assert rows[0]["target_labelled"] == pytest.approx(0.3, abs=0.05)
    assert (rows[0]["adaptation_loss"] > 0) == (adaptation != "none")


@pytest.mark.parametrize("adaptation", ["minent", "advent"])
def test_a_target_without_label_files_is_spared_a_loss_that_is_zero(
    tmp_path: Path, fabric: Fabric, adaptation: Any
) -> None:
    settings = replace(SETTINGS, adaptation=adaptation)
    (looked, rows), (spared, spared_rows) = (
        _train(tmp_path, fabric, settings, target=Fixed(2, 1.0, labelled)) for labelled in (True, False)
    )
    assert rows == spared_rows and rows[0]["target_loss"] == 0 < rows[0]["adaptation_loss"]
    assert all(torch.equal(a, b) for a, b in zip(looked.parameters(), spared.parameters(), strict=True))


def test_an_adaptation_changes_what_is_learnt(tmp_path: Path, fabric: Fabric) -> None:
    weights = [_train(tmp_path, fabric, replace(SETTINGS, adaptation=a))[0] for a in ("none", "minent", "advent")]  # type: ignore[arg-type]
    flat = [torch.cat([p.detach().ravel() for p in network.parameters()]) for network in weights]
    assert not torch.equal(flat[0], flat[1]) and not torch.equal(flat[0], flat[2]) and not torch.equal(flat[1], flat[2])


def test_the_discriminator_learns_nothing_from_what_the_network_is_taught(fabric: Fabric) -> None:
    network = TwoOutputs()
    adversary = Adversary(network, 0.1, fabric)
    before = [{name: value.clone() for name, value in state["network"].items()} for state in adversary.state_dict()]
    losses = adversary.losses(network(torch.rand(1, 3, 32, 64)), (32, 64), 1)
    torch.stack(losses).sum().backward()
    assert len(losses) == 2 and network.first.weight.grad is not None
    for state, old in zip(adversary.state_dict(), before, strict=True):
        assert all(torch.equal(state["network"][name], value) for name, value in old.items())
    seen = network(torch.rand(1, 3, 32, 64)), (32, 64)
    adversary.step(seen, seen, 1, 0.5)
    assert any(not torch.equal(adversary.state_dict()[0]["network"][name], value) for name, value in before[0].items())


def test_two_batches_accumulated_are_one_of_twice_the_size(tmp_path: Path, fabric: Fabric) -> None:
    """Where every pixel is labelled, so that means of halves are halves of the mean."""
    full: Any = Fixed(3, 0.0)
    networks = []
    for batch, accumulate in ((2, 1), (1, 2)):
        network = TwoOutputs()
        settings = replace(SETTINGS, source_batch=batch, target_batch=batch, accumulate=accumulate)
        saving = Saving(tmp_path / "last.pt", 1000, {})
        train(network, full, full, settings, fabric=fabric, workers=0, saving=saving)
        networks.append(network)
    for a, b in zip(*(network.parameters() for network in networks), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("adaptation", ["none", "advent"])
def test_sigterm_saves_between_two_iterations_and_the_training_goes_on_to_the_same_bytes(
    tmp_path: Path, fabric: Fabric, monkeypatch: pytest.MonkeyPatch, adaptation: Any
) -> None:
    settings = replace(SETTINGS, adaptation=adaptation)
    whole, rows = _train(tmp_path, fabric, settings)
    handler = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patch:
        patch.setattr(esl.training.loop, "_feed", _terminating(esl.training.loop._feed, at=3))
        with pytest.raises(SystemExit) as ended:
            _train(tmp_path, fabric, settings)
    assert ended.value.code == 143
    assert load_tensors(tmp_path / "last.pt")["progress"]["iteration"] == 3
    assert signal.getsignal(signal.SIGTERM) == handler
    resumed, resumed_rows = _train(tmp_path, fabric, settings)
    assert resumed_rows == rows
    assert all(torch.equal(a, b) for a, b in zip(whole.parameters(), resumed.parameters(), strict=True))


def _terminating(feed: Any, at: int) -> Any:
    """The feed, which sends SIGTERM to its own process with its ``at``-th batch."""

    def terminating(*args: Any) -> Iterator[list[Tensor]]:
        for number, batch in enumerate(feed(*args), start=1):
            if number == at:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    return terminating


def test_the_classifiers_of_the_papers_network_learn_ten_times_as_fast(fabric: Fabric) -> None:
    class Groups(TwoOutputs):
        pass

    network = Groups()
    patch = pytest.MonkeyPatch()
    patch.setattr(
        esl.training.loop,
        "parameter_groups",
        lambda net, rate: [
            {"params": [*net.first.parameters()], "lr": rate},
            {"params": [*net.second.parameters()], "lr": 10 * rate},
        ],
    )
    try:
        optimizer = esl.training.loop._optimizer(network, SETTINGS)
    finally:
        patch.undo()
    step = esl.training.loop._Step(network, optimizer, None, SETTINGS, fabric, labelled=True)
    feed = iter([[part[None] for part in (*SOURCE[0], *TARGET[0])]])
    model, wrapped = fabric.setup(network, optimizer)
    replace(step, model=model, optimizer=wrapped)(0, feed, 0.05, 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == pytest.approx([0.05, 0.5])
