"""Pseudo-label PNGs and their manifest."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from esl.classes import IGNORE
from esl.data.class_sets import CLASS_SETS
from esl.data.images import CheckedFile, read_label
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.manifest import PseudoLabels
from esl.labels.png import checked_files, png_path, train_id_table, write_png
from tests.contents import whole_manifest

CITYSCAPES19 = CLASS_SETS["cityscapes19"]
ALL = np.array([[*range(19), IGNORE]], dtype=np.uint8)


# ------------------------------------------------------------------------------------------------------- the PNG


def test_a_png_is_indexed_by_train_id_in_the_colours_of_cityscapes(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", ALL, CITYSCAPES19)
    with Image.open(tmp_path / "a.png") as image:
        assert (image.format, image.mode) == ("PNG", "P")
        assert np.array_equal(np.asarray(image), ALL)
        colours = np.asarray(image.convert("RGB"))[0].tolist()
    assert [tuple(colour) for colour in colours] == [*CITYSCAPES19.colours, (0, 0, 0)]


def test_a_png_is_stored_with_8_bits_even_when_few_classes_are_in_it(tmp_path: Path) -> None:
    write_png(tmp_path / "a.png", np.zeros((3, 5), dtype=np.uint8), CITYSCAPES19)
    header = (tmp_path / "a.png").read_bytes()[16:26]
    assert header == (5).to_bytes(4, "big") + (3).to_bytes(4, "big") + bytes([8, 3])  # 8 bits, palette


def test_random_pseudo_labels_read_back_through_the_table_of_training(tmp_path: Path) -> None:
    label = np.random.default_rng(0).choice(ALL[0], (37, 53))
    write_png(tmp_path / "a.png", label, CITYSCAPES19)
    assert np.array_equal(read_label(tmp_path / "a.png", train_id_table(CITYSCAPES19)), label)


def test_training_knows_exactly_the_train_ids_and_ignore() -> None:
    table = train_id_table(CITYSCAPES19)
    assert np.flatnonzero(table.known).tolist() == [*range(19), 255]
    assert table.train_ids.tolist() == [*range(19), *[255] * 237]


@pytest.mark.parametrize("id_", ["", ".", "..", "../x", "a/b", "/etc/passwd", "a/", "a\\b", "a/../b"])
def test_an_id_that_is_not_a_plain_file_name_is_refused(tmp_path: Path, id_: str) -> None:
    with pytest.raises(InputError, match="expected a plain file name"):
        png_path(tmp_path, id_)


def test_a_plain_id_names_a_file_right_in_the_folder(tmp_path: Path) -> None:
    for id_ in ("00001", "aachen_000000_000019", "a.b", "..x"):
        assert png_path(tmp_path, id_) == tmp_path / f"{id_}.png"


# -------------------------------------------------------------------------------------------------- the manifest


def _manifest(folder: Path, count: int = 3) -> PseudoLabels:
    files = {}
    for number in range(count):
        path = folder / f"{number}.png"
        write_png(path, np.full((4, 4), number, dtype=np.uint8), CITYSCAPES19)
        files[str(number)] = {"sha256": sha256_of_file(path)}
    return PseudoLabels.model_validate(whole_manifest(files))


def test_files_that_are_as_they_were_written_are_handed_out(tmp_path: Path) -> None:
    folder = tmp_path / "pseudo_labels"
    manifest = _manifest(folder)
    assert checked_files(manifest.files, folder) == {
        id_: CheckedFile(folder / f"{id_}.png", manifest.files[id_].sha256) for id_ in ("0", "1", "2")
    }


def test_every_missing_or_changed_file_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "pseudo_labels"
    manifest = _manifest(folder)
    (folder / "0.png").unlink()
    write_png(folder / "2.png", np.full((4, 4), 7, dtype=np.uint8), CITYSCAPES19)
    with pytest.raises(InputError) as caught:
        checked_files(manifest.files, folder)
    message = str(caught.value)
    assert message.startswith("2 pseudo-label(s) differ")
    assert f"{folder / '0.png'}: missing" in message and f"{folder / '2.png'}: changed" in message
    assert "1.png" not in message


def test_an_id_in_the_manifest_cannot_climb_out_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.png").write_bytes(b"x")
    with pytest.raises(InputError, match="expected a plain file name"):
        checked_files(PseudoLabels.model_validate(whole_manifest({"../secret": {}})).files, tmp_path / "pseudo_labels")
