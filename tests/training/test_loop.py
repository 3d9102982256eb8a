"""The training loop: its log is exact, and ignored pixels have no effect."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from esl.data.stream import Stream
from esl.errors import InputError
from esl.training.losses import segmentation_loss
from esl.training.settings import BatchNorm


def _same_weights(a: nn.Module, b: nn.Module) -> bool:
    return all(torch.equal(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))


def test_the_log_averages_what_an_independent_loop_computes(
    tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    """The loop again, written plainly with torch alone."""
    network, expected = tiny(), []
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
    trained = tiny()
    rows = run(trained, source, target)
    assert [row["iteration"] for row in rows] == [3, 6, 8]
    assert [row["learning_rate"] for row in rows] == [0.01 * (1 - i / 8) ** 0.9 for i in (2, 5, 7)]
    for row, part in zip(rows, (expected[:3], expected[3:6], expected[6:]), strict=True):
        values = [row[name] for name in ("source_loss", "target_loss", "target_labelled")]
        assert values == pytest.approx(np.mean(part, axis=0), abs=1e-4)
    for name, theirs in network.state_dict().items():
        torch.testing.assert_close(trained.state_dict()[name], theirs, rtol=1e-3, atol=1e-3)


def test_labelled_target_images_pass_with_those_of_the_target_and_add_their_own_loss(
    tiny: Any, run: Any, source: Stream, unlabelled: Stream, target: Stream
) -> None:
    """The first iteration again, written plainly: nothing is learnt from plain target images, which only pass."""
    network = tiny()
    streams = (source, unlabelled, target)
    (images, labels), (plain, _), (more, truth) = (
        (torch.stack([stream[k][0] for k in range(2)]) / 255, torch.stack([stream[k][1] for k in range(2)]))
        for stream in streams
    )
    source_loss = segmentation_loss(network(images).main, labels)
    labelled_loss = segmentation_loss(network(torch.cat([plain, more])).main[2:], truth)
    (source_loss + labelled_loss).backward()
    trained = tiny()
    (row,) = run(trained, source, unlabelled, labelled=target, labelled_batch=2, iterations=1)
    assert row["labelled_loss"] == pytest.approx(labelled_loss.item(), abs=1e-5)
    assert row["target_loss"] == row["target_labelled"] == 0
    for ours, theirs in zip(trained.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-3, atol=1e-5)


def test_without_a_target_only_the_source_is_learnt_and_logged(tiny: Any, run: Any, source: Stream) -> None:
    for row in run(tiny(), source, None):
        assert row["source_loss"] > 0
        assert row["target_loss"] == row["target_labelled"] == 0


@pytest.mark.parametrize("batch_norm", ["per_domain", "frozen"])
def test_a_target_without_pseudo_labels_moves_no_weight(
    tiny: Any, run: Any, source: Stream, unlabelled: Stream, batch_norm: BatchNorm
) -> None:
    alone, both = tiny(), tiny()
    if batch_norm == "frozen":
        alone.layers[1] = _Frozen(8)
    rows_alone = run(alone, source, None, iterations=3)
    rows_both = run(both, source, unlabelled, iterations=3, batch_norm=batch_norm)
    assert rows_both[0]["target_loss"] == rows_both[0]["target_labelled"] == 0
    assert rows_both[0]["source_loss"] == pytest.approx(rows_alone[0]["source_loss"], abs=1e-5)
    for a, b in zip(alone.parameters(), both.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-3, atol=1e-4)


class _Frozen(nn.BatchNorm2d):
    """Batch norm that normalises by its first statistics, 0 and 1, even in training mode."""

    def train(self, mode: bool = True) -> "_Frozen":
        return super().train(False)


@pytest.mark.parametrize("darkened", ["source", "target"])
def test_the_statistics_kept_are_those_of_the_target(
    tiny: Any, run: Any, source: Stream, dark: Stream, darkened: str
) -> None:
    """A domain without any light has features 0 before batch norm; with a learning rate of 0 they stay so."""
    network = tiny()
    streams = (dark, source) if darkened == "source" else (source, dark)
    run(network, *streams, learning_rate=1e-9, iterations=60)
    mean, variance = network.layers[1].running_mean, network.layers[1].running_var
    if darkened == "target":
        torch.testing.assert_close(mean, torch.zeros(8), atol=2e-3, rtol=0)
        torch.testing.assert_close(variance, torch.zeros(8), atol=4e-3, rtol=0)
    else:
        assert mean.abs().max() > 0.05 and variance.min() > 0.005


def test_frozen_batch_norm_keeps_its_statistics_and_trains_its_weights(
    tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    network = tiny()
    norm = network.layers[1]
    norm.running_mean.fill_(0.25)
    run(network, source, target, batch_norm="frozen")
    assert norm.running_mean.eq(0.25).all() and norm.running_var.eq(1).all()
    assert norm.num_batches_tracked == 0
    assert not norm.weight.eq(1).any()


def test_where_nothing_can_be_compiled_the_log_says_why_and_the_training_goes_on(
    tiny: Any,
    run: Any,
    source: Stream,
    target: Stream,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    plain, compiled = tiny(), tiny()
    rows = run(plain, source, target)
    monkeypatch.setattr("esl.training.loop.compile_network", lambda network, device: "no compiler")
    assert run(compiled, source, target, compile=True) == rows
    assert _same_weights(plain, compiled)
    assert "compute.compile: not compiled, because this machine cannot: no compiler" in capsys.readouterr().err


def test_a_loss_that_is_not_finite_ends_the_training_with_its_iteration(
    tmp_path: Path, tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    network = tiny()
    with torch.no_grad():
        network.layers[3].bias[0] = math.nan
    with pytest.raises(InputError, match="not finite at iteration 3: lower the learning rate"):
        run(network, source, target, every=3)
    assert not (tmp_path / "last.pt").exists()
