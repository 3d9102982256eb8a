"""What online self-training does to the student's images: mixing, masking, distortion."""

import pytest
import torch

from esl.training.terms.ema.views import MEAN_COLOUR, distorted, masked, pasted_classes


@pytest.mark.parametrize("seed", range(5))
def test_half_of_the_classes_rounded_up_are_pasted_whole_and_ignored_pixels_never(seed: int) -> None:
    torch.manual_seed(seed)
    label = torch.randint(0, 7, (3, 6, 9), dtype=torch.uint8)
    label[label == 6] = 255
    label[1, label[1] > 2] = 255
    label[2] = 255
    pasted = pasted_classes(label)
    for one, mask in zip(label.tolist(), pasted.tolist(), strict=True):
        pixels = [(k, m) for row, flags in zip(one, mask, strict=True) for k, m in zip(row, flags, strict=True)]
        inside, outside = {k for k, m in pixels if m}, {k for k, m in pixels if not m}
        assert not inside & outside and 255 not in inside
        assert len(inside) == (len((inside | outside) - {255}) + 1) // 2


def test_every_class_is_pasted_about_equally_often() -> None:
    torch.manual_seed(0)
    label = torch.tensor([[[0, 1, 2, 3]]], dtype=torch.uint8).expand(400, 1, 4)
    share = pasted_classes(label).float().mean(dim=(0, 1))
    torch.testing.assert_close(share, torch.full((4,), 0.5), atol=0.08, rtol=0)


def test_masked_blocks_have_the_mean_colour_and_all_else_is_as_it_was() -> None:
    torch.manual_seed(0)
    image = torch.randint(200, 256, (50, 3, 20, 30), dtype=torch.uint8)
    result = masked(image, ratio=0.7, block=10)
    blocks = result.reshape(50, 3, 2, 10, 3, 10)
    hidden = (blocks == torch.tensor(MEAN_COLOUR).reshape(3, 1, 1, 1, 1)).permute(0, 2, 4, 1, 3, 5).flatten(3)
    assert torch.equal(hidden.all(-1), hidden.any(-1))
    assert hidden.all(-1).float().mean().item() == pytest.approx(0.7, abs=0.06)
    assert (result == image).all(dim=1).float().mean().item() == pytest.approx(0.3, abs=0.06)


def test_views_of_no_strength_change_nothing() -> None:
    image = torch.randint(0, 256, (2, 3, 8, 16), dtype=torch.uint8)
    assert torch.equal(distorted(image, colour=0.0, colour_probability=1.0, blur=0.0), image)
    assert torch.equal(distorted(image, colour=0.2, colour_probability=0.0, blur=0.0), image)
    assert not torch.equal(distorted(image, colour=0.2, colour_probability=1.0, blur=0.0), image)
    assert not torch.equal(distorted(image, colour=0.0, colour_probability=1.0, blur=1.0), image)
