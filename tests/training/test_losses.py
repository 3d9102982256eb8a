"""The segmentation loss against hand-worked values and torch's own mean."""

import math

import pytest
import torch
import torch.nn.functional as F

from esl.classes import IGNORE
from esl.training.losses import segmentation_loss


def test_cross_entropy_worked_by_hand() -> None:
    logits = torch.tensor([[0.0, math.log(3), 7.0], [0.0, 0.0, -7.0]]).reshape(1, 2, 1, 3)
    label = torch.tensor([[[1, 0, IGNORE]]], dtype=torch.uint8)
    # -ln(1/2) and -ln(3/4); the third pixel is ignored
    assert segmentation_loss(logits, label).item() == pytest.approx((math.log(2) - math.log(0.75)) / 2, abs=1e-6)


def test_a_batch_that_is_all_ignored_gives_exactly_zero_and_a_zero_gradient() -> None:
    logits = torch.randn(2, 19, 3, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    loss = segmentation_loss(logits, torch.full((2, 9, 13), IGNORE, dtype=torch.uint8))
    loss.backward()
    assert loss.item() == 0
    assert logits.grad is not None and torch.equal(logits.grad, torch.zeros_like(logits))


def test_the_loss_and_its_gradient_equal_torchs_mean_where_something_is_labelled() -> None:
    generator = torch.Generator().manual_seed(1)
    ours = torch.randn(2, 5, 3, 4, generator=generator, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    label = torch.randint(0, 5, (2, 9, 13), generator=generator)
    label[torch.rand(label.shape, generator=generator) < 0.6] = IGNORE
    loss = segmentation_loss(ours, label.byte())
    upsampled = F.interpolate(theirs, size=(9, 13), mode="bilinear", align_corners=True)
    expected = F.cross_entropy(upsampled, label, ignore_index=IGNORE)
    torch.testing.assert_close(loss, expected)
    loss.backward()
    expected.backward()
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_an_ignored_pixel_passes_no_gradient() -> None:
    logits = torch.randn(1, 3, 4, 4, generator=torch.Generator().manual_seed(2), requires_grad=True)
    label = torch.ones(1, 4, 4, dtype=torch.uint8)
    label[0, 1, 2] = IGNORE
    segmentation_loss(logits, label).backward()
    assert logits.grad is not None
    silent = (logits.grad == 0).all(dim=1)[0]
    assert silent.nonzero().tolist() == [[1, 2]]


@pytest.mark.parametrize(
    ("size_hw", "stride"),
    [((9, 13), 2), ((9, 13), 4), ((7, 10), 3), ((8, 12), 2)],
)
def test_a_strided_loss_compares_those_pixels_of_the_full_size_output(size_hw: tuple[int, int], stride: int) -> None:
    generator = torch.Generator().manual_seed(3)
    logits = torch.randn(2, 5, 3, 4, generator=generator)
    label = torch.randint(0, 5, (2, *size_hw), generator=generator)
    upsampled = F.interpolate(logits, size=size_hw, mode="bilinear", align_corners=True)
    expected = F.cross_entropy(upsampled[..., ::stride, ::stride], label[:, ::stride, ::stride])
    torch.testing.assert_close(segmentation_loss(logits, label.byte(), stride), expected)
