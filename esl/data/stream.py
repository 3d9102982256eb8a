"""Endless streams of augmented samples: position k is always the same sample, augmented in the same way.

The sample depends on the seed and the position alone: to resume at iteration i, a training asks for the next positions,
on any number of workers, and needs no saved random state.
"""

import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import tv_tensors
from torchvision.transforms import InterpolationMode, v2
from torchvision.transforms.v2 import functional as F

from esl.classes import IGNORE, IdTable
from esl.data.images import File, Resize, read_image, read_label
from esl.data.rarity import RareClassDraws
from esl.data.settings import AugmentationSettings
from esl.errors import InputError, one_line
from esl.settings import crop_wh

MAX_ASPECT_MISMATCH = 1.2
"""Images are first cut to the aspect ratio of the crop if theirs differs by more than this factor."""

ORDER, AUGMENTATION, RARITY = 0, 1, 2
"""Independent sources of random numbers of a stream: the order of an epoch, crop and colours, rare classes."""


@dataclass(frozen=True)
class Pairs:
    """Images with their label files (``None``: every pixel is ``IGNORE``), and how to read them."""

    files: Sequence[tuple[File, File | None]]
    table: IdTable
    resize: Resize  # of images and labels

    def read(self, row: int) -> tuple[Tensor, Tensor]:
        """Image (3, H, W) uint8 and trainIds (H, W) uint8.

        Raises:
            InputError: a file is missing, damaged, or has changed since it was indexed or written.
        """
        image_file, label_file = self.files[row]
        image = read_image(image_file, self.resize)
        height, width = image.shape[:2]
        if label_file is None:
            label = np.full((height, width), IGNORE, dtype=np.uint8)
        else:
            label = read_label(label_file, self.table, (width, height))
        return torch.tensor(image).permute(2, 0, 1), torch.tensor(label)


class Stream(Dataset[tuple[Tensor, Tensor]]):
    """``stream[k]`` -> image (3, h, w) uint8 and label (h, w) uint8 of the crop's size."""

    def __init__(
        self,
        pairs: Pairs,
        augmentation: AugmentationSettings,
        seed: tuple[int, int],
        draws: RareClassDraws | None = None,
    ) -> None:
        """``draws`` choose the image of every position; without them, every epoch is a random order of all images."""
        self._pairs, self._seed, self._draws = pairs, seed, draws
        self._crop = None
        if (crop := crop_wh(augmentation.crop)) is not None:
            width, height = crop
            ratio = width / height
            self._size_hw = [height, width]
            self._crop = v2.RandomResizedCrop(
                (height, width), scale=(augmentation.min_scale, 1.0), ratio=(0.9 * ratio, 1.1 * ratio)
            )
        self._flip = v2.RandomHorizontalFlip(augmentation.flip)
        strength = augmentation.colour
        self._colour = v2.Compose(
            [
                v2.ColorJitter(0.6 * strength, 0.6 * strength, 0.8 * strength),
                v2.RandomApply([v2.GaussianBlur(3, sigma=(0.3, 1.5))], p=augmentation.blur),
            ]
        )

    @property
    def epoch(self) -> int:
        """The number of samples, and of positions until every sample was read once."""
        return len(self._pairs.files)

    @property
    def labelled(self) -> bool:
        """Whether any image has a label file."""
        return any(label is not None for _, label in self._pairs.files)

    def __getitem__(self, position: int) -> tuple[Tensor, Tensor]:
        image, label = self._pairs.read(self._row(position))
        with torch.random.fork_rng(devices=[]):
            # not torch.manual_seed, which records a stack for GPUs that draw nothing here: a third of the time
            draws = np.random.default_rng([*self._seed, AUGMENTATION, position])
            torch.default_generator.manual_seed(int(draws.integers(2**63)))
            if self._crop is not None:
                image, label = self._cropped(*self._window(image, label), self._crop)
            image, mask = self._flip(tv_tensors.Image(image), tv_tensors.Mask(label))
            return torch.as_tensor(self._colour(image)), torch.as_tensor(mask)

    def _row(self, position: int) -> int:
        """The row of the image at a position."""
        if self._draws is not None:
            return self._draws.row(np.random.default_rng([*self._seed, RARITY, position]))
        epoch, place = divmod(position, len(self._pairs.files))
        order = np.random.default_rng([*self._seed, ORDER, epoch]).permutation(len(self._pairs.files))
        return int(order[place])

    def _cropped(self, image: Tensor, label: Tensor, crop: v2.RandomResizedCrop) -> tuple[Tensor, Tensor]:
        """A random part of image and label, at the size of the crop."""
        box = crop.make_params([image])
        image = F.resized_crop(image, **box, size=self._size_hw, antialias=True)
        # nearest-exact: plain nearest, torchvision's own choice for masks, is half a pixel off the image
        nearest = InterpolationMode.NEAREST_EXACT
        mask = F.resized_crop(label[None], **box, size=self._size_hw, interpolation=nearest, antialias=False)[0]
        return image, mask

    def _window(self, image: Tensor, label: Tensor) -> tuple[Tensor, Tensor]:
        """The largest part with the crop's aspect ratio, at a random place, if the image's is far from it.

        Otherwise most wide crops of a portrait image would be its middle. Other images stay whole.
        """
        height, width = label.shape
        ratio = self._size_hw[1] / self._size_hw[0]
        if 1 / MAX_ASPECT_MISMATCH <= width / height / ratio <= MAX_ASPECT_MISMATCH:
            return image, label
        part = min(height, round(width / ratio)), min(width, round(height * ratio))
        top, left = (int(torch.randint(all_ - some + 1, ())) for all_, some in zip((height, width), part, strict=True))
        window = (..., slice(top, top + part[0]), slice(left, left + part[1]))
        return image[window], label[window]


def _handle_signals(worker: int) -> None:
    """Lets SIGTERM end a worker at once, instead of an inherited handler; Ctrl-C is left to the training process."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def batches(
    stream: Stream, *, batch_size: int, start: int, stop: int, rank: int, world_size: int, workers: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of iterations ``start`` ... ``stop`` - 1: images (N, 3, h, w) and labels (N, h, w), both uint8.

    Iteration i holds the positions i * batch_size * world_size onwards, dealt to the ranks in turn: the global batch
    does not depend on the number of processes.

    Raises:
        InputError: a file is missing, damaged, or has changed since it was indexed, or a worker has too little memory;
            always in one line.
    """
    step = batch_size * world_size
    positions = [
        position for i in range(start, stop) for position in range(i * step + rank, (i + 1) * step, world_size)
    ]
    loader = DataLoader(
        stream,
        batch_size=batch_size,
        sampler=positions,
        num_workers=workers,
        worker_init_fn=_handle_signals,
        pin_memory=torch.cuda.is_available(),
        prefetch_factor=4 if workers else None,
    )
    return _with_plain_errors(loader)


def _with_plain_errors(loader: DataLoader[tuple[Tensor, Tensor]]) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of ``loader``; its errors become one line, without the traceback of a worker."""
    try:
        yield from loader
    except InputError as error:
        raise InputError(str(error).rpartition(f"{InputError.__name__}: ")[2].strip()) from None
    except (OSError, RuntimeError) as error:
        if "shared memory" in str(error) or "No space left on device" in str(error):
            raise InputError(
                "/dev/shm: too small for the images of several processes; enlarge it (in a container: --shm-size=8g), "
                "or let fewer processes read (--workers; the threads of the rule)"
            ) from None
        if str(error).startswith("DataLoader worker"):
            raise InputError(
                f"{one_line(error)} It read images, perhaps with too little memory: ask for more, or let fewer "
                "processes read (--workers; the threads of the rule)"
            ) from None
        raise
