"""Sliding windows: a network run over overlapping parts of an image, and the mean of its probabilities where they meet.

Networks trained on crops of large images predict best on parts of the same size: the usual evaluation at full
resolution (the ``slide`` mode of mmsegmentation; DAFormer takes parts of 512 pixels at steps of 341). Here the
softmax of every part is averaged at the network's stride, where DAFormer's code averages logits at full resolution.
"""

from collections.abc import Callable

from torch import Tensor

from esl.errors import InputError
from esl.models.settings import GRID
from esl.models.views import Images

STRIDES = (1, 2, 4, 8, 16, 32)
"""Known strides: ``GRID`` is a multiple of each."""


def window_spans(length: int, window: int) -> list[tuple[int, int]]:
    """The parts of a side of ``length`` pixels: evenly spread, about a third of a ``window`` shared by neighbours.

    Begins are rounded down to multiples of ``GRID``; the last part goes on to the end, and so may be a little longer.

    >>> window_spans(1280, 512)
    [(0, 512), (256, 768), (512, 1024), (768, 1280)]
    >>> window_spans(300, 512)
    [(0, 300)]
    """
    if length <= window:
        return [(0, length)]
    steps = -(-3 * (length - window) // (2 * window))
    begins = [(length - window) * step // steps // GRID * GRID for step in range(steps + 1)]
    return [(begin, begin + window) for begin in begins[:-1]] + [(begins[-1], length)]


def windowed_probability(predict: Callable[[Images], Tensor], images: Images, window_wh: tuple[int, int]) -> Tensor:
    """The mean over all windows (multiples of ``GRID``) of the probabilities (N, C, h, w), at the network's stride.

    ``predict`` gives the probabilities (N, C, ., .) of images, at its stride. An image no larger than the window is
    one window.

    Raises:
        InputError: the network's stride is none of ``STRIDES``.
    """
    (height, width), (window_w, window_h) = images[0].shape[:2], window_wh
    rows, columns = window_spans(height, window_h), window_spans(width, window_w)
    if len(rows) == len(columns) == 1:
        return predict(images)
    parts = {(y, x): predict([image[slice(*y), slice(*x)] for image in images]) for y in rows for x in columns}
    first, last = parts[rows[0], columns[0]], parts[rows[-1], columns[-1]]
    stride = _stride(*((window_w, first.shape[-1]) if len(columns) > 1 else (window_h, first.shape[-2])))
    size_hw = (rows[-1][0] // stride + last.shape[-2], columns[-1][0] // stride + last.shape[-1])
    total = first.new_zeros((*first.shape[:2], *size_hw))
    covered = first.new_zeros(size_hw)
    for (y, x), part in parts.items():
        place = (..., _on_grid(y, part.shape[-2], stride), _on_grid(x, part.shape[-1], stride))
        total[place] += part
        covered[place] += 1
    return total / covered


def _stride(length: int, cells: int) -> int:
    """The stride of a network that has ``cells`` probabilities over ``length`` pixels, or one more (DeepLab v2)."""
    stride = min(STRIDES, key=lambda stride: abs(length / cells - stride))
    if abs(stride * cells - length) > stride:
        raise InputError(
            f"inference.window: {cells} probabilities over {length} pixels: the network's stride divides no window; "
            "leave this setting out"
        )
    return stride


def _on_grid(span: tuple[int, int], length: int, stride: int) -> slice:
    """Where ``length`` probabilities of a part lie in those of the image."""
    begin = span[0] // stride
    return slice(begin, begin + length)
