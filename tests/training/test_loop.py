"""The training loop: exact to resume, honest in its log, deaf to ignored pixels."""

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PIL import Image
from torch import Tensor, nn

from esl.classes import id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.label_tables import CITYSCAPES_LABELS
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream
from esl.errors import InputError
from esl.models.checkpoint import load_tensors, save_tensors
from esl.models.logits import Logits
from esl.training.loop import train
from esl.training.losses import segmentation_loss
from esl.training.resume import Row, Saving
from esl.training.settings import BatchNorm, TrainSettings

CLASSES = 19
AUGMENTATION = AugmentationSettings(crop="16x8", min_scale=0.5, colour=0.5, blur=0.5)
SETTINGS: dict[str, Any] = {
    "crop": "16x8",
    "iterations": 8,
    "target_batch": 2,
    "pseudo_label_weight": 0.5,
    "log_every": 3,
}


class Tiny(nn.Module):
    """Two convolutions, batch norm, stride 2; it can be made to die at a given iteration of two forward passes."""

    def __init__(self, dies_at: int | None = None) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, CLASSES, 3, 1, 1)
        )
        self._dies_at, self._passes = dies_at, 0

    def forward(self, x: Tensor) -> Logits:
        if self._dies_at is not None and self._passes == 2 * self._dies_at:
            raise KeyboardInterrupt
        self._passes += 1
        return Logits(self.layers(x))


def _network(dies_at: int | None = None) -> Tiny:
    torch.manual_seed(0)
    return Tiny(dies_at)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Five random images with random labels of every Cityscapes id."""
    folder = tmp_path_factory.mktemp("training")
    rng = np.random.default_rng(0)
    files: list[tuple[Path, Path | None]] = []
    for number in range(5):
        paths = folder / f"{number}.png", folder / f"{number}_ids.png"
        Image.fromarray(rng.integers(0, 256, (10, 20, 3), dtype=np.uint8)).save(paths[0])
        Image.fromarray(rng.integers(0, len(CITYSCAPES_LABELS), (10, 20), dtype=np.uint8)).save(paths[1])
        files.append(paths)
    return Pairs(files, id_table(CITYSCAPES_LABELS, CLASS_SETS["cityscapes19"]), None)


@pytest.fixture
def source(pairs: Pairs) -> Stream:
    return Stream(pairs, AUGMENTATION, (0, 0))


@pytest.fixture
def target(pairs: Pairs) -> Stream:
    return Stream(pairs, AUGMENTATION, (0, 1))


@pytest.fixture
def unlabelled(pairs: Pairs) -> Stream:
    return Stream(replace(pairs, files=[(image, None) for image, _ in pairs.files]), AUGMENTATION, (0, 1))


@pytest.fixture
def run(tmp_path: Path, fabric: Fabric, train_settings: Callable[..., TrainSettings]) -> Any:
    """Trains a network with ``SETTINGS``, single keys changed, by default without ever saving a state."""

    def run(
        network: nn.Module,
        source: Stream,
        target: Stream | None,
        *,
        every: int = 1000,
        identity: dict[str, Any] | None = None,
        **changed: Any,
    ) -> list[Row]:
        values = SETTINGS | changed
        if target is None:
            del values["target_batch"], values["pseudo_label_weight"]
            values.pop("batch_norm", None)
        saving = Saving(tmp_path / "last.pt", every, identity or {"crop": (16, 8), "seed": 0})
        return train(network, source, target, train_settings(**values), fabric=fabric, workers=0, saving=saving)

    return run


def _same_weights(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


# ------------------------------------------------------------------------------------------------------ resuming


@pytest.mark.parametrize("every", [2, 3])
def test_an_interrupted_training_ends_in_the_same_weights_and_log(
    tmp_path: Path, run: Any, source: Stream, target: Stream, every: int
) -> None:
    """With states every 2 iterations, the log's rows of 3 are cut in the middle; every 3, between two rows."""
    whole, resumed = _network(), _network()
    expected = run(whole, source, target)
    with pytest.raises(KeyboardInterrupt):
        run(_network(dies_at=5), source, target, every=every)
    assert load_tensors(tmp_path / "last.pt")["progress"]["iteration"] == 4 - every % 2
    assert run(resumed, source, target, every=every) == expected
    assert _same_weights(resumed, whole)


def test_a_training_interrupted_again_and_again_ends_in_the_same_weights(
    run: Any, source: Stream, target: Stream
) -> None:
    whole = _network()
    expected = run(whole, source, target)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            run(_network(dies_at=2), source, target, every=1)
    resumed = _network()
    assert run(resumed, source, target, every=1) == expected
    assert _same_weights(resumed, whole)


class Forgetful(Tiny):
    """With dropout, whose draws a resumed training must repeat."""

    def __init__(self, dies_at: int | None = None) -> None:
        super().__init__(dies_at)
        self.layers.insert(3, nn.Dropout(0.5))


def test_a_network_with_dropout_resumes_to_the_same_weights(run: Any, source: Stream, target: Stream) -> None:
    networks = []
    for dies_at in (None, 5, None):
        torch.manual_seed(0)
        networks.append(Forgetful(dies_at))
    expected = run(networks[0], source, target)
    with pytest.raises(KeyboardInterrupt):
        run(networks[1], source, target, every=2)
    torch.manual_seed(77)
    assert run(networks[2], source, target, every=2) == expected
    assert _same_weights(networks[0], networks[2])


def test_a_resumed_training_does_not_start_over(run: Any, source: Stream, target: Stream) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(_network(dies_at=6), source, target, every=2)
    run(_network(dies_at=3), source, target, every=2)  # iterations 6 and 7 are all that is left


def test_a_state_of_another_identity_is_not_used(
    tmp_path: Path, run: Any, source: Stream, target: Stream, capsys: pytest.CaptureFixture[str]
) -> None:
    fresh = _network()
    expected = run(fresh, source, target)
    with pytest.raises(KeyboardInterrupt):
        run(_network(dies_at=5), source, target, every=2, identity={"crop": (16, 8), "seed": 1})
    other = _network()
    assert run(other, source, target) == expected
    assert _same_weights(other, fresh)
    assert f"{tmp_path / 'last.pt'}: of a training with other settings or inputs" in capsys.readouterr().err


def test_a_damaged_state_is_refused_by_name(tmp_path: Path, run: Any, source: Stream, target: Stream) -> None:
    with pytest.raises(KeyboardInterrupt):
        run(_network(dies_at=5), source, target, every=2)
    content = (tmp_path / "last.pt").read_bytes()
    (tmp_path / "last.pt").write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=r"last\.pt"):
        run(_network(), source, target)


def test_a_state_that_is_not_one_of_ours_starts_again(tmp_path: Path, run: Any, source: Stream, target: Stream) -> None:
    save_tensors(tmp_path / "last.pt", {"weights": torch.zeros(3)})
    network, fresh = _network(), _network()
    rows = run(network, source, target)
    (tmp_path / "last.pt").unlink()
    assert run(fresh, source, target) == rows and _same_weights(network, fresh)


# ---------------------------------------------------------------------------------------------------- what it does


def test_the_log_averages_what_an_independent_loop_computes(run: Any, source: Stream, target: Stream) -> None:
    """The loop again, written down plainly with torch alone."""
    network, expected = _network(), []
    optimizer = torch.optim.AdamW(network.parameters(), lr=0.01, weight_decay=0.01)
    for iteration in range(8):
        for group in optimizer.param_groups:
            group["lr"] = 0.01 * (1 - iteration / 8) ** 0.9
        samples = [stream[2 * iteration + k] for stream in (source, target) for k in range(2)]
        images = torch.stack([image for image, _ in samples]) / 255
        labels = torch.stack([label for _, label in samples])
        norm = network.layers[1]
        statistics = norm.running_mean.clone(), norm.running_var.clone(), norm.num_batches_tracked.clone()
        source_logits = network(images[:2]).main
        norm.running_mean, norm.running_var, norm.num_batches_tracked = statistics
        losses = segmentation_loss(source_logits, labels[:2]), segmentation_loss(network(images[2:]).main, labels[2:])
        optimizer.zero_grad()
        (losses[0] + 0.5 * losses[1]).backward()
        optimizer.step()
        expected.append([losses[0].item(), losses[1].item(), (labels[2:] != 255).float().mean().item()])
    trained = _network()
    rows = run(trained, source, target)
    assert [row["iteration"] for row in rows] == [3, 6, 8]
    assert [row["learning_rate"] for row in rows] == [0.01 * (1 - i / 8) ** 0.9 for i in (2, 5, 7)]
    for row, part in zip(rows, (expected[:3], expected[3:6], expected[6:]), strict=True):
        values = [row[name] for name in ("source_loss", "target_loss", "target_labelled")]
        assert values == pytest.approx(np.mean(part, axis=0), abs=1e-4)
    for name, theirs in network.state_dict().items():
        torch.testing.assert_close(trained.state_dict()[name], theirs, rtol=1e-3, atol=1e-3)


def test_without_a_target_only_the_source_is_learnt_and_logged(run: Any, source: Stream) -> None:
    for row in run(_network(), source, None):
        assert row["source_loss"] > 0
        assert row["target_loss"] == row["target_labelled"] == 0


@pytest.mark.parametrize("batch_norm", ["per_domain", "frozen"])
def test_a_target_without_pseudo_labels_moves_no_weight(
    run: Any, source: Stream, unlabelled: Stream, batch_norm: BatchNorm
) -> None:
    alone, both = _network(), _network()
    if batch_norm == "frozen":
        alone.layers[1] = _Frozen(8)
    rows_alone = run(alone, source, None, iterations=3)
    rows_both = run(both, source, unlabelled, iterations=3, batch_norm=batch_norm)
    assert rows_both[0]["target_loss"] == rows_both[0]["target_labelled"] == 0
    assert rows_both[0]["source_loss"] == pytest.approx(rows_alone[0]["source_loss"], abs=1e-5)
    for a, b in zip(alone.parameters(), both.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


class _Frozen(nn.BatchNorm2d):
    """Batch norm that normalises by its first statistics, 0 and 1, whatever it is told."""

    def train(self, mode: bool = True) -> "_Frozen":
        return super().train(False)


@pytest.mark.parametrize("darkened", ["source", "target"])
def test_the_statistics_kept_are_those_of_the_target(run: Any, pairs: Pairs, source: Stream, darkened: str) -> None:
    """A domain without any light has features 0 before batch norm; with a learning rate of 0 they stay so."""
    network = _network()
    dark, light = _Dark(pairs, AUGMENTATION, (0, 1)), source
    streams = (dark, light) if darkened == "source" else (light, dark)
    run(network, *streams, learning_rate=1e-9, iterations=60)
    mean, variance = network.layers[1].running_mean, network.layers[1].running_var
    if darkened == "target":
        torch.testing.assert_close(mean, torch.zeros(8), atol=2e-3, rtol=0)
        torch.testing.assert_close(variance, torch.zeros(8), atol=4e-3, rtol=0)
    else:
        assert mean.abs().max() > 0.05 and variance.min() > 0.005


class _Dark(Stream):
    """The same labels on black images."""

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        image, label = super().__getitem__(position)
        return torch.zeros_like(image), label


def test_frozen_batch_norm_keeps_its_statistics_and_trains_its_weights(
    run: Any, source: Stream, target: Stream
) -> None:
    network = _network()
    norm = network.layers[1]
    norm.running_mean.fill_(0.25)
    run(network, source, target, batch_norm="frozen")
    assert norm.running_mean.eq(0.25).all() and norm.running_var.eq(1).all()
    assert norm.num_batches_tracked == 0
    assert not norm.weight.eq(1).any()


def test_where_nothing_can_be_compiled_the_log_says_why_and_the_training_goes_on(
    run: Any, source: Stream, target: Stream, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, compiled = _network(), _network()
    rows = run(plain, source, target)
    monkeypatch.setattr("esl.training.loop.compile_network", lambda network, device: "no compiler")
    assert run(compiled, source, target, compile=True) == rows
    assert _same_weights(plain, compiled)
    assert "compute.compile: not compiled, because this machine cannot: no compiler" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_ends_the_training_with_its_iteration(
    tmp_path: Path, run: Any, source: Stream, target: Stream
) -> None:
    network = _network()
    with torch.no_grad():
        network.layers[3].bias[0] = math.nan
    with pytest.raises(InputError, match="not finite at iteration 3: lower the learning rate"):
        run(network, source, target, every=3)
    assert not (tmp_path / "last.pt").exists()
