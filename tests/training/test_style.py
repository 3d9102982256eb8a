"""Fourier domain adaptation against numpy, as its authors write it."""

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from esl.data.stream import Stream
from esl.training.style import stylised, with_target_style


def _images(seed: int, number: int = 2, size_hw: tuple[int, int] = (20, 33)) -> torch.Tensor:
    return torch.randint(0, 256, (number, 3, *size_hw), generator=torch.Generator().manual_seed(seed)).byte()


def _published(source: NDArray[np.float64], target: NDArray[np.float64], band: float) -> NDArray[np.float64]:
    """Swap of the centred spectrum's square, (3, H, W)."""
    spectrum, other = np.fft.fft2(source), np.fft.fft2(target)
    amplitude, theirs = (np.fft.fftshift(np.abs(x), axes=(-2, -1)) for x in (spectrum, other))
    height, width = source.shape[-2:]
    b, y, x = int(np.floor(min(height, width) * band)), height // 2, width // 2
    square = (slice(None), slice(y - b, y + b + 1), slice(x - b, x + b + 1))
    amplitude[square] = theirs[square]
    amplitude = np.fft.ifftshift(amplitude, axes=(-2, -1))
    return np.real(np.fft.ifft2(amplitude * np.exp(1j * np.angle(spectrum))))


@pytest.mark.parametrize("band", [0.0, 0.01, 0.09, 0.3])
def test_low_amplitudes_are_swapped_as_in_the_published_code(band: float) -> None:
    source, target = _images(0), _images(1)
    for mine, s, t in zip(stylised(source, target, band), source, target, strict=True):
        theirs = _published(s.double().numpy(), t.double().numpy(), band).clip(0, 255)
        np.testing.assert_allclose(mine.numpy(), theirs, atol=0.51)


def test_the_mean_colour_is_the_targets_and_own_style_changes_nothing() -> None:
    source, target = _images(0) // 8 + 100, _images(1) // 8 + 60
    result = stylised(source, target, 0.01)
    torch.testing.assert_close(result.float().mean(dim=(2, 3)), target.float().mean(dim=(2, 3)), atol=0.51, rtol=0)
    assert torch.equal(stylised(source, source, 0.3), source)


def test_a_share_of_the_images_is_changed_each_by_its_own_target_image() -> None:
    source, target = _images(0, 40), _images(1, 3)
    torch.manual_seed(5)
    result = with_target_style(source, target, band=0.05, share=0.5)
    changed = [not torch.equal(a, b) for a, b in zip(result, source, strict=True)]
    assert 10 < sum(changed) < 30
    for row in np.flatnonzero(changed):
        expected = stylised(source[row : row + 1], target[row % 3 : row % 3 + 1], 0.05)[0]
        assert (result[row].int() - expected.int()).abs().max() <= 1
    assert torch.equal(with_target_style(source, target, band=0.05, share=0.0), source)


def test_the_network_sees_source_images_in_the_style_of_the_iterations_target_images(
    tiny: Any, run: Any, source: Stream, target: Stream
) -> None:
    network, seen = tiny(), []
    network.register_forward_pre_hook(lambda module, arguments: seen.append(arguments[0]))
    run(network, source, target, iterations=2, style="fda", style_band=0.2)
    for iteration in range(2):
        images, targets = (torch.stack([each[2 * iteration + k][0] for k in range(2)]) for each in (source, target))
        torch.testing.assert_close(seen[2 * iteration], stylised(images, targets, 0.2) / 255, atol=0.005, rtol=0)
        assert torch.equal(seen[2 * iteration + 1], targets / 255)
        assert not torch.allclose(seen[2 * iteration], images / 255, atol=0.05)
