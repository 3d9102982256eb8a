"""Streams: position k is always the same sample, augmented in the same way, with its label on top of its image."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from esl.classes import IGNORE, Label, id_table
from esl.data.class_sets import CLASS_SETS
from esl.data.images import CheckedFile
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.settings import AugmentationSettings
from esl.data.stream import Pairs, Stream, batches
from esl.errors import InputError
from esl.files import sha256_of_file

SAMPLES = 7
PLAIN = AugmentationSettings(crop="40x20", min_scale=0.3, colour=0.0, blur=0.0)
STRONG = AugmentationSettings(crop="40x20", min_scale=0.3, colour=1.0, blur=0.5)
TABLE = id_table(CITYSCAPES_LABELS, CLASS_SETS["cityscapes19"])
ROAD, SKY, CAR = 0, 10, 13
COLOUR = {ROAD: (250, 5, 5), SKY: (5, 250, 5), CAR: (5, 5, 250), IGNORE: (250, 250, 250)}  # no one is between two
RAW_ID = {ROAD: 7, SKY: 23, CAR: 26, IGNORE: 0}


def _street(number: int) -> NDArray[np.uint8]:
    """TrainIds (40, 80): sky over road, a car and an ignored patch, at another place in every sample."""
    label = np.full((40, 80), SKY, dtype=np.uint8)
    label[15 + number :] = ROAD
    label[20:34, 5 * number : 5 * number + 25] = CAR
    label[2:12, 60 - 5 * number : 75 - 5 * number] = IGNORE
    return label


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """Images in the colours of their labels."""
    folder = tmp_path_factory.mktemp("streams")
    files: list[tuple[Path, Path | None]] = []
    for number in range(SAMPLES):
        label = _street(number)
        image, ids = np.zeros((*label.shape, 3), dtype=np.uint8), np.zeros_like(label)
        for class_, colour in COLOUR.items():
            image[label == class_] = colour
            ids[label == class_] = RAW_ID[class_]
        paths = folder / f"{number}.png", folder / f"{number}_ids.png"
        Image.fromarray(image).save(paths[0])
        Image.fromarray(ids).save(paths[1])
        files.append(paths)
    return Pairs(files, TABLE, None)


def _assert_same(actual: Sequence[torch.Tensor], expected: Sequence[torch.Tensor], name: object = "") -> None:
    for tensor, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(tensor.numpy(), other.numpy(), f"{name}")


def test_files_that_are_not_those_of_their_digests_are_refused(pairs: Pairs) -> None:
    image, label = pairs.files[0]
    assert isinstance(image, Path) and isinstance(label, Path)
    sound = CheckedFile(image, sha256_of_file(image)), CheckedFile(label, sha256_of_file(label))
    _assert_same(replace(pairs, files=[sound]).read(0), pairs.read(0))
    for files, name in (
        ((CheckedFile(image, "0" * 64), sound[1]), "0.png"),
        ((sound[0], CheckedFile(label, "0" * 64)), "0_ids.png"),
    ):
        with pytest.raises(InputError, match=rf"/{re.escape(name)}: changed since it was indexed"):
            Stream(replace(pairs, files=[files]), PLAIN, (0, 0))[0]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize("content", [None, b"\x89PNG\r\n\x1a\n"])
def test_an_image_that_vanishes_or_is_cut_while_it_is_read_is_one_line_with_its_name(
    pairs: Pairs, tmp_path: Path, workers: int, content: bytes | None
) -> None:
    path = tmp_path / "gone.png"
    if content is not None:
        path.write_bytes(content)
    stream = Stream(replace(pairs, files=[(path, None)]), PLAIN, (0, 0))
    with pytest.raises(InputError) as caught:
        next(batches(stream, batch_size=2, start=0, stop=1, rank=0, world_size=1, workers=workers))
    assert str(caught.value).startswith(f"{path}: no") and "\n" not in str(caught.value)


# ---------------------------------------------------------------------------------------------------- one position


def test_a_position_is_the_same_in_every_instance_and_order(pairs: Pairs) -> None:
    first, second = Stream(pairs, STRONG, (3, 0)), Stream(pairs, STRONG, (3, 0))
    positions = [0, 1, 6, 7, 20, 10**6]
    forwards = [first[k] for k in positions]
    torch.manual_seed(123)
    torch.rand(7)
    backwards = [second[k] for k in reversed(positions)][::-1]
    for position, a, b in zip(positions, forwards, backwards, strict=True):
        _assert_same(a, b, f"position {position}")


def test_seeds_streams_and_positions_differ(pairs: Pairs) -> None:
    content = {
        (seed, k): b"".join(part.numpy().tobytes() for part in Stream(pairs, STRONG, seed)[k])
        for seed in ((0, 0), (0, 1), (1, 0))
        for k in range(3 * SAMPLES)
    }
    assert len(set(content.values())) == len(content)


def test_the_global_random_state_is_neither_read_nor_changed(pairs: Pairs) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    Stream(pairs, STRONG, (0, 0))[4]
    assert torch.equal(torch.rand(3), expected)


def test_a_sample_has_the_size_of_the_crop_in_bytes(pairs: Pairs) -> None:
    image, label = Stream(pairs, STRONG, (0, 0))[0]
    assert (image.shape, image.dtype) == ((3, 20, 40), torch.uint8)
    assert (label.shape, label.dtype) == ((20, 40), torch.uint8)


def _class_of_colour(image: torch.Tensor) -> NDArray[np.uint8]:
    """The class of the nearest colour, at every pixel."""
    colours = np.array([*COLOUR.values()])
    distance = ((image.permute(1, 2, 0).numpy()[:, :, None].astype(int) - colours) ** 2).sum(axis=-1)
    return np.array([*COLOUR], dtype=np.uint8)[distance.argmin(axis=-1)]


def _inside(label: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Pixels with eight neighbours of the same class; pixels at the frame are left out."""
    inside = np.zeros(label.shape, dtype=bool)
    centre = label[1:-1, 1:-1]
    shifted = [label[i : i + centre.shape[0], j : j + centre.shape[1]] for i in range(3) for j in range(3)]
    inside[1:-1, 1:-1] = np.all([part == centre for part in shifted], axis=0)
    return inside


def test_crops_of_an_upright_image_are_drawn_from_all_of_it_and_keep_their_labels(tmp_path: Path) -> None:
    """Twelve stripes from top to bottom: wide crops must reach every one of them, without squeezing their content."""
    stripes = np.repeat(np.arange(12, dtype=np.uint8), 10)[:, None].repeat(60, axis=1)  # (120, 60) of raw ids
    Image.fromarray(stripes * 20).convert("RGB").save(tmp_path / "image.png")
    Image.fromarray(stripes + 20).save(tmp_path / "ids.png")  # ids 20 ... 31
    table = id_table([Label(n + 20, "road", n) for n in range(12)], CLASS_SETS["cityscapes19"])
    table.train_ids[20:32] = range(12)
    upright = Pairs([(tmp_path / "image.png", tmp_path / "ids.png")], table, None)
    stream = Stream(upright, PLAIN.model_copy(update={"min_scale": 0.5}), (0, 0))
    classes = set()
    for position in range(200):
        image, label = stream[position]
        present = np.unique(label.numpy())
        classes |= {*present.tolist()}
        assert 2 <= len(present) <= 5  # of 12 stripes the crop's shape, 2 to 1, leaves at most 30 rows of 120
        inside = _inside(label.numpy())
        assert (np.abs(image[0].numpy().astype(int) - 20 * label.numpy())[inside] < 10).all()
    assert classes == set(range(12))


@pytest.mark.parametrize("resize", [None, (60, 30)])
def test_a_label_stays_on_top_of_its_image(pairs: Pairs, resize: tuple[int, int] | None) -> None:
    stream = Stream(replace(pairs, resize=resize), PLAIN, (0, 0))
    for position in range(40):
        image, label = stream[position]
        seen, truth = _class_of_colour(image), label.numpy()
        inside = _inside(truth)
        assert inside.mean() > 0.5
        assert np.array_equal(seen[inside], truth[inside]), position


def test_labels_are_not_shifted_against_images_on_average(tmp_path: Path) -> None:
    """A white car to the right of a black road: the image shows the place of the border to a fraction of a pixel."""
    ids = np.full((32, 64), RAW_ID[ROAD], dtype=np.uint8)
    ids[:, 30:] = RAW_ID[CAR]
    Image.fromarray(ids).save(tmp_path / "ids.png")
    Image.fromarray(np.uint8(255) * (ids == RAW_ID[CAR])).save(tmp_path / "image.png")
    stream = Stream(
        Pairs([(tmp_path / "image.png", tmp_path / "ids.png")], TABLE, None),
        PLAIN.model_copy(update={"crop": "64x32"}),
        (0, 0),
    )
    shifts = []
    for position in range(120):
        image, label = stream[position]
        white, car = image[0].float().sum().item() / 255 / 32, (label == CAR).float().sum().item() / 32
        if 2 < white < 62:
            shifts.append(white - car)
    assert len(shifts) > 60
    assert abs(np.mean(shifts)) < 0.15  # pixels; one label by itself may round by half a pixel


def test_flips_scales_and_crops_do_happen(pairs: Pairs) -> None:
    """One sample over many epochs: cars face both ways round the ignored patch, and their size varies."""
    stream = Stream(replace(pairs, files=pairs.files[:1]), PLAIN, (0, 0))
    order, areas = [], []
    for position in range(60):
        label = stream[position][1].numpy()
        if (label == CAR).any() and (label == IGNORE).any():
            order.append(np.nonzero(label == CAR)[1].mean() < np.nonzero(label == IGNORE)[1].mean())
        areas.append((label == CAR).mean())
    assert 0.2 < np.mean(order) < 0.8 and len(order) > 10
    assert max(areas) > 2 * np.median(areas) or min(areas) < np.median(areas) / 2


def test_colour_changes_touch_the_image_and_never_the_label(pairs: Pairs) -> None:
    plain, strong = Stream(pairs, PLAIN, (0, 0)), Stream(pairs, STRONG, (0, 0))
    changed = 0
    for position in range(10):
        assert torch.equal(plain[position][1], strong[position][1])
        changed += not torch.equal(plain[position][0], strong[position][0])
    assert changed == 10


def test_an_image_without_a_label_is_all_ignored(pairs: Pairs) -> None:
    blind = replace(pairs, files=[(image, None) for image, _ in pairs.files])
    seeing = Stream(pairs, STRONG, (0, 0))
    for position in range(3):
        image, label = Stream(blind, STRONG, (0, 0))[position]
        assert torch.equal(image, seeing[position][0])  # whether there are labels changes no image
        assert (label == IGNORE).all()


# ------------------------------------------------------------------------------------------------------- all of it


@pytest.fixture(scope="module")
def numbered(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    """One-coloured images, so that every crop shows its sample."""
    folder = tmp_path_factory.mktemp("numbered")
    files: list[tuple[Path, Path | None]] = []
    for number in range(SAMPLES):
        Image.fromarray(np.full((8, 8, 3), number, dtype=np.uint8)).save(folder / f"{number}.png")
        files.append((folder / f"{number}.png", None))
    return Pairs(files, TABLE, None)


SMALL = AugmentationSettings(crop="4x4", min_scale=0.5, colour=0.0, blur=0.0)


def test_every_epoch_holds_every_sample_once_in_an_order_of_its_own(numbered: Pairs) -> None:
    stream = Stream(numbered, SMALL, (0, 0))
    epochs = [[int(stream[e * SAMPLES + k][0].max()) for k in range(SAMPLES)] for e in range(4)]
    assert [sorted(epoch) for epoch in epochs] == [[*range(SAMPLES)]] * 4
    assert len({tuple(epoch) for epoch in epochs}) == 4


def _numbers(stream: Stream, *, start: int, stop: int, rank: int = 0, world_size: int = 1, batch_size: int = 4):
    share = {"start": start, "stop": stop, "rank": rank, "world_size": world_size}
    return [
        image.amax(dim=(1, 2, 3)).tolist() for image, _ in batches(stream, batch_size=batch_size, workers=0, **share)
    ]


def test_batches_follow_the_positions_and_a_later_start_continues_them(numbered: Pairs) -> None:
    stream = Stream(numbered, SMALL, (0, 0))
    expected = [[int(stream[4 * i + k][0].max()) for k in range(4)] for i in range(5)]
    assert _numbers(stream, start=0, stop=5) == expected
    assert _numbers(stream, start=3, stop=5) == expected[3:]
    assert _numbers(stream, start=5, stop=5) == []


@pytest.mark.parametrize("world_size", [2, 4])
def test_the_ranks_together_hold_the_batch_of_one_process(pairs: Pairs, world_size: int) -> None:
    stream = Stream(pairs, STRONG, (0, 0))
    share = {"start": 1, "stop": 4, "workers": 0}
    alone = [*batches(stream, batch_size=4, rank=0, world_size=1, **share)]
    ranks = [
        [*batches(stream, batch_size=4 // world_size, rank=rank, world_size=world_size, **share)]
        for rank in range(world_size)
    ]
    for iteration, whole in enumerate(alone):
        parts = [rank[iteration] for rank in ranks]
        for tensor, of_ranks in zip(whole, zip(*parts, strict=True), strict=True):
            assert torch.equal(torch.stack(of_ranks, dim=1).flatten(0, 1), tensor)


def test_worker_processes_change_nothing(pairs: Pairs) -> None:
    stream = Stream(pairs, STRONG, (0, 0))
    share = {"batch_size": 3, "start": 2, "stop": 5, "rank": 0, "world_size": 1}
    without, with_one = ([*batches(stream, workers=workers, **share)] for workers in (0, 1))
    assert len(without) == 3
    for batch, (a, b) in enumerate(zip(without, with_one, strict=True)):
        _assert_same(a, b, f"batch {batch}")
