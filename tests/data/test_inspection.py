"""The inspection of a dataset: its index, and every defect at once."""

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE
from esl.data import inspection
from esl.data.formats.base import Sample
from esl.data.formats.build import format_named
from esl.data.inspection import inspect
from esl.data.label_tables.cityscapes import CITYSCAPES_LABELS
from esl.data.label_tables.gta5 import GTA5_LABELS
from esl.data.notes import SHOWN_DEFECTS
from esl.data.settings import Checks
from esl.errors import InputError
from esl.files import sha256_of_file
from tests.data.dataset_files import (
    CITYSCAPES19,
    STRICT,
    Frame,
    WriteFrames,
    cityscapes_defects,
    cityscapes_index,
    random_frames,
    random_ids,
    random_image,
)

# -------------------------------------------------------------------------------------------------- sound datasets


def test_a_cityscapes_folder_is_indexed_with_the_pixels_that_were_put_in(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    frames = random_frames()
    index = cityscapes_index(write_cityscapes(tmp_path, "train", frames))
    assert [sample.id for sample in index.samples] == sorted(frames)
    to_train_id = {label.id: label.train_id for label in CITYSCAPES_LABELS}
    for sample in index.samples:
        image, ids = frames[sample.id]
        assert ids is not None
        train_ids = np.vectorize(to_train_id.get)(ids)
        assert sample.size_wh == (12, 8) and sample.label_size_wh is None
        assert sample.pixels == [int((train_ids == class_).sum()) for class_ in range(19)]
        assert np.array_equal(index.read_image(sample), image)
        assert np.array_equal(index.read_label(sample), train_ids)
        assert sample.image_sha256 == sha256_of_file(index.image(sample).path)
        assert sample.label_sha256 == sha256_of_file(index.label(sample).path)


def test_a_gta5_folder_is_indexed_with_its_palette_labels_and_licence_plates(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "labels").mkdir()
    ids = np.array([[7, 7, 34], [26, 0, 33]], dtype=np.uint8)
    label = Image.fromarray(ids)
    label.putpalette([channel for label in GTA5_LABELS for channel in label.colour])
    label.save(tmp_path / "labels" / "00001.png")
    Image.fromarray(random_image(0, 3, 2)).save(tmp_path / "images" / "00001.png")
    index = inspect("gta5", format_named("gta5"), tmp_path, "all", CITYSCAPES19, STRICT).sound_index()
    (sample,) = index.samples
    assert (sample.id, sample.image, sample.label) == ("00001", "images/00001.png", "labels/00001.png")
    assert sample.pixels is not None
    counts = dict(zip(CITYSCAPES19.classes, sample.pixels, strict=True))
    assert {name: pixels for name, pixels in counts.items() if pixels} == {"road": 2, "car": 1, "bicycle": 1}
    assert index.read_label(sample).tolist() == [[0, 0, 255], [13, 255, 18]]


def test_a_real_frame_is_indexed_and_its_pixels_add_up(real_cityscapes: Path) -> None:
    index = cityscapes_index(real_cityscapes, split="val")
    (sample,) = index.samples
    assert (sample.id, sample.size_wh, sample.label_size_wh) == ("frankfurt_000000_000294", (256, 128), None)
    counts = np.bincount(np.asarray(Image.open(index.label(sample).path)).ravel(), minlength=256)
    evaluated = sorted((label for label in CITYSCAPES_LABELS if label.train_id < 19), key=lambda label: label.train_id)
    assert sample.pixels == [int(counts[label.id]) for label in evaluated]
    ignored = (counts[[label.id for label in CITYSCAPES_LABELS if label.train_id == IGNORE]]).sum()
    assert sum(sample.pixels) == 256 * 128 - ignored


def test_any_number_of_workers_gives_the_same_index(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    root = write_cityscapes(tmp_path, "train", random_frames(20))
    both = inspect("cityscapes", format_named("cityscapes"), root, "train", CITYSCAPES19, STRICT, workers=2)
    assert cityscapes_index(root) == both.sound_index()


# --------------------------------------------------------------------------------------------------------- defects


def test_every_defect_is_reported_at_once_with_its_file(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    frames = {f"ulm_{number:06d}_000019": (random_image(number), random_ids(number)) for number in range(9)}
    root = write_cityscapes(tmp_path, "train", frames)

    def image(number: int) -> Path:
        return root / f"leftImg8bit/train/ulm/ulm_{number:06d}_000019_leftImg8bit.png"

    def label(number: int) -> Path:
        return root / f"gtFine/train/ulm/ulm_{number:06d}_000019_gtFine_labelIds.png"

    image(0).unlink()
    label(1).unlink()
    image(2).write_bytes(image(2).read_bytes()[:100])
    label(3).write_bytes(label(3).read_bytes()[:60])
    Image.fromarray(random_image(0)).save(label(4))  # colours
    Image.fromarray(random_ids(0).astype(np.uint16) + 26000).save(label(5))  # 16 bit: instances
    Image.fromarray(np.full((8, 12), 77, dtype=np.uint8)).save(label(6))
    Image.fromarray(random_ids(0, 11, 8)).save(label(7))
    message = cityscapes_defects(root)
    expected = [
        f"{label(0)}: a label without its image",
        f"{image(1)}: an image without its label",
        f"{image(2)}: not a readable image",
        f"{label(3)}: not a readable image",
        f"{label(4)}: expected a label of 8-bit ids (palette or grey PNG), but got mode RGB",
        f"{label(5)}: holds the id 260",
        f"{label(6)}: unknown label ids [77]",
        f"{label(7)}: a label of 11x8 for an image of 12x8",
    ]
    lines = message.splitlines()
    assert lines[0].endswith("8 defect(s)")
    assert len(lines) == 1 + len(expected)
    for line, start in zip(lines[1:], expected, strict=True):
        assert line.strip().startswith(start)


def test_both_files_of_a_sample_are_reported_when_both_are_damaged(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    root = write_cityscapes(tmp_path, "train", random_frames(2))
    for path in root.rglob("ulm_000001*.png"):
        path.write_bytes(b"")
    message = cityscapes_defects(root)
    assert "2 defect(s)" in message
    assert "ulm_000001_000019_leftImg8bit.png" in message and "ulm_000001_000019_gtFine_labelIds.png" in message


def test_more_defects_than_a_screen_holds_are_counted(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    count = SHOWN_DEFECTS + 3
    frames: dict[str, Frame] = {
        f"ulm_{number:06d}_000019": (random_image(number, 2, 1), None) for number in range(count)
    }
    message = cityscapes_defects(write_cityscapes(tmp_path, "train", frames))
    assert f"{count} defect(s)" in message
    assert len(message.splitlines()) == 1 + SHOWN_DEFECTS + 1
    assert message.endswith("... and 3 more")


def test_labels_may_be_absent_where_they_are_optional(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    frames: dict[str, Frame] = {id_: (image, None) for id_, (image, _) in random_frames().items()}
    index = cityscapes_index(write_cityscapes(tmp_path, "train", frames), Checks(labels="optional"))
    assert [(s.label, s.label_size_wh, s.pixels, s.label_sha256) for s in index.samples] == [
        (None, None, None, None)
    ] * 3


def test_a_label_of_another_size_is_resized_where_that_is_asked_for(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    ids = np.full((4, 6), 7, dtype=np.uint8)
    frames: dict[str, Frame] = random_frames(1) | {"bonn_000000_000019": (random_image(9), ids)}
    root = write_cityscapes(tmp_path, "train", frames)
    assert "bonn_000000_000019_gtFine_labelIds.png: a label of 6x4 for an image of 12x8" in cityscapes_defects(root)
    index = cityscapes_index(root, Checks(mismatched_labels="resize"))
    bonn, ulm = index.samples
    assert (bonn.size_wh, bonn.label_size_wh, ulm.label_size_wh) == ((12, 8), (6, 4), None)
    assert bonn.pixels == [24] + [0] * 18  # counted as the file stores them
    assert index.to_json()["resized_labels"] == ["bonn_000000_000019"]


def test_some_images_of_a_validation_set_may_have_labels(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    checks = Checks(labels="scored")
    bare: dict[str, Frame] = {id_: (image, None) for id_, (image, _) in random_frames().items()}
    assert cityscapes_index(write_cityscapes(tmp_path / "none", "train", bare), checks).labelled == []
    whole = cityscapes_index(write_cityscapes(tmp_path / "all", "train", random_frames()), checks)
    assert whole.labelled == whole.samples
    some = random_frames() | {"ulm_000007_000019": bare.popitem()[1]}
    partly = cityscapes_index(write_cityscapes(tmp_path / "some", "train", some), checks)
    assert [sample.id for sample in partly.samples if sample.label is None] == ["ulm_000007_000019"]


def test_images_without_labels_are_left_out_and_listed_where_that_is_asked_for(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    root = write_cityscapes(tmp_path, "train", random_frames(2) | {"bonn_000000_000019": (random_image(9), None)})
    index = cityscapes_index(root, Checks(missing_labels="skip"))
    assert [sample.id for sample in index.samples] == ["ulm_000000_000019", "ulm_000001_000019"]
    assert index.left_out == ("leftImg8bit/train/bonn/bonn_000000_000019_leftImg8bit.png",)
    assert index.to_json()["left_out"] == [*index.left_out]
    for path in (root / "gtFine").rglob("*.png"):
        path.unlink()
    assert "every image was left out" in cityscapes_defects(root, Checks(missing_labels="skip"))


def test_labels_without_any_known_class_are_a_defect(tmp_path: Path, write_cityscapes: WriteFrames) -> None:
    frames: dict[str, Frame] = {"ulm_000000_000019": (random_image(0), np.zeros((8, 12), dtype=np.uint8))}
    assert "no pixel of any class of cityscapes19" in cityscapes_defects(write_cityscapes(tmp_path, "train", frames))


def test_an_empty_split_is_refused_with_the_layout_that_was_expected(
    tmp_path: Path, write_cityscapes: WriteFrames
) -> None:
    root = write_cityscapes(tmp_path, "val", random_frames(1))
    message = cityscapes_defects(root)
    assert str(root) in message
    assert (
        "expected leftImg8bit/train/*/{frame}_leftImg8bit.png and gtFine/train/*/{frame}_gtFine_labelIds.png" in message
    )
    assert message.endswith("it has images of 'val'")


def test_an_id_that_is_no_file_name_is_a_defect_of_its_file(tmp_path: Path) -> None:
    (tmp_path / "a/masks").mkdir(parents=True)
    Image.fromarray(random_image(0)).save(tmp_path / "a/x\\y.png")
    inspection = inspect("folder", format_named("folder"), tmp_path, "all", CITYSCAPES19, Checks(labels="optional"))
    assert [defect.startswith(f"{tmp_path}/a/x\\y.png: sample id") for defect in inspection.defects] == [True]


def _end(sample: Sample) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_process_that_is_killed_while_it_opens_files_is_one_line() -> None:
    with pytest.raises(InputError, match=r"a process for opening images was killed.*more memory.*--workers"):
        inspection._in_processes(_end, [Sample("a", None, None)], 1, "index")  # type: ignore[arg-type]
