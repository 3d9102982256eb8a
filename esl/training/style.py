"""Source images in the style of target images, without any training (FDA, Yang & Soatto 2020).

Shape suffixes: N images, H W pixels.
"""

import torch
from torch import Tensor


def stylised(source_N3HW: Tensor, target_N3HW: Tensor, band: float) -> Tensor:
    """Source images whose lowest frequencies have the amplitudes of the target images, uint8 (equations 1 and 2).

    Both (N, 3, H, W) uint8. ``band`` is the paper's beta: the square of frequencies reaches ``floor(band * min(H, W))``
    from frequency 0 in both directions; all phases stay the source's.
    """
    size_hw = source_N3HW.shape[-2:]
    source, target = (torch.fft.fft2(image.float()) for image in (source_N3HW, target_N3HW))
    reach = int(band * min(size_hw))
    rows, columns = (torch.fft.fftfreq(length, 1 / length, device=source.device).abs() <= reach for length in size_hw)
    low_HW = rows[:, None] & columns[None, :]
    amplitude = torch.where(low_HW, target.abs(), source.abs())
    image: Tensor = torch.fft.ifft2(torch.polar(amplitude, source.angle())).real
    return image.round().clamp(0, 255).byte()


def with_target_style(source_N3HW: Tensor, target_N3HW: Tensor, *, band: float, share: float) -> Tensor:
    """Source images, each with probability ``share`` in the style of a target image; these are taken in turn.

    The draws are those of torch's global generator of the CPU, which each iteration seeds.
    """
    chosen = (torch.rand(len(source_N3HW)) < share).nonzero().flatten().to(source_N3HW.device)
    if not len(chosen):
        return source_N3HW
    result = source_N3HW.clone()
    result[chosen] = stylised(source_N3HW[chosen], target_N3HW[chosen % len(target_N3HW)], band)
    return result
