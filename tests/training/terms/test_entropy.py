"""The entropy losses against hand-worked values."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from esl.labels.measures.entropy import normalised_entropy
from esl.training.terms.entropy import Domain, adversarial_loss, minent_loss, weighted_self_information


def pixels(*columns: list[float]) -> Tensor:
    """One probability vector for each pixel -> (1, C, 1, pixels)."""
    return torch.tensor(columns).T[None, :, None]


UNIFORM = [0.25, 0.25, 0.25, 0.25]
ONE_HOT = [0.0, 1.0, 0.0, 0.0]
MIXED = [0.5, 0.25, 0.125, 0.125]  # - p log2 p: 0.5, 0.5, 0.375 and 0.375, together 1.75 bits of 2


def test_self_information_worked_by_hand() -> None:
    information = weighted_self_information(pixels(UNIFORM, ONE_HOT, MIXED))
    expected = pixels([0.25] * 4, [0.0] * 4, [0.25, 0.25, 0.1875, 0.1875])
    assert information.shape == (1, 4, 1, 3) and information.dtype == torch.float32
    torch.testing.assert_close(information, expected, rtol=1e-6, atol=1e-7)


def test_three_classes_are_divided_by_log2_of_three() -> None:
    information = weighted_self_information(pixels([0.5, 0.5, 0.0], [1 / 3] * 3))
    half = 0.5 / math.log2(3)
    torch.testing.assert_close(information, pixels([half, half, 0.0], [1 / 3] * 3), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ([UNIFORM], 1.0),
        ([ONE_HOT], 0.0),
        ([MIXED], 0.875),
        ([UNIFORM, ONE_HOT, MIXED], 1.875 / 3),  # the mean over pixels, not over classes or pixels times classes
    ],
)
def test_the_entropy_loss_worked_by_hand(columns: list[list[float]], expected: float) -> None:
    loss = minent_loss(pixels(*columns))
    assert loss.shape == () and loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_the_entropy_loss_is_the_mean_of_the_entropy_that_selects_pseudo_labels() -> None:
    probability = torch.randn(2, 19, 5, 7, generator=torch.Generator().manual_seed(0)).mul(3).softmax(dim=1)
    expected = normalised_entropy(probability).mean().item()
    assert minent_loss(probability).item() == pytest.approx(expected, abs=1e-6)
    assert weighted_self_information(probability).sum(dim=1).mean().item() == pytest.approx(expected, abs=1e-6)


def test_gradients_worked_by_hand_are_finite_at_zero_and_one() -> None:
    probability = pixels([0.5, 0.5], [0.0, 1.0]).requires_grad_()
    minent_loss(probability).backward()
    # of -p log2(p + e): -log2(p + e) - p/((p + e) ln 2), over the two pixels; log2 C is 1
    at_half, at_zero, at_one = 1 - 1 / math.log(2), -math.log2(1e-30), -1 / math.log(2)
    expected = pixels([at_half / 2, at_half / 2], [at_zero / 2, at_one / 2])
    assert probability.grad is not None
    torch.testing.assert_close(probability.grad, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("top", [0.0, 20.0, 200.0, 1e4])  # of the softmax: uniform ... exactly one-hot
def test_gradients_through_the_softmax_are_finite_however_sure_the_network_is(top: float) -> None:
    logits = torch.zeros(1, 19, 2, 2)
    logits[:, 3] = top
    logits.requires_grad_()
    probability = logits.softmax(dim=1)
    (minent_loss(probability) + weighted_self_information(probability).square().sum()).backward()
    assert logits.grad is not None and torch.isfinite(logits.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_probabilities_are_taken_in_float32(dtype: torch.dtype) -> None:
    probability = pixels(UNIFORM, ONE_HOT, MIXED).to(dtype)
    assert weighted_self_information(probability).dtype == torch.float32
    assert minent_loss(probability).item() == pytest.approx(1.875 / 3, abs=1e-6)


@pytest.mark.parametrize(
    ("logits", "domain", "expected"),
    [
        ([0.0], "source", math.log(2)),
        ([0.0], "target", math.log(2)),
        ([math.log(3)], "target", math.log(4 / 3)),  # the sigmoid of ln 3 is 3/4
        ([math.log(3)], "source", math.log(4)),
        ([math.log(3), -math.log(3), 0.0], "source", (math.log(4) + math.log(4 / 3) + math.log(2)) / 3),
        ([200.0, -200.0], "target", 100.0),  # a sigmoid of exactly 0 would give infinity
    ],
)
def test_the_adversarial_loss_worked_by_hand(logits: list[float], domain: Domain, expected: float) -> None:
    loss = adversarial_loss(torch.tensor(logits).reshape(1, 1, 1, -1), domain)
    assert loss.shape == () and loss.dtype == torch.float32
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_adversarial_loss_is_torchs_cross_entropy_of_the_sigmoid() -> None:
    logits = torch.randn(2, 1, 3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    for domain, label in (("source", torch.zeros), ("target", torch.ones)):
        expected = F.binary_cross_entropy(logits.sigmoid(), label(logits.shape))
        loss = adversarial_loss(logits, domain)
        torch.testing.assert_close(loss, expected)
        actual_gradient, expected_gradient = (torch.autograd.grad(value, logits)[0] for value in (loss, expected))
        torch.testing.assert_close(actual_gradient, expected_gradient)
