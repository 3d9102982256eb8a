"""Predictions for a test server: every class becomes the label id that cityscapesscripts gives it."""

import io
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from cityscapesscripts.helpers.labels import trainId2label
from PIL import Image

from esl.data.class_sets import CLASS_SETS
from esl.data.formats.build import format_named
from esl.data.index import Index
from esl.data.inspection import inspect
from esl.data.settings import Checks
from esl.errors import InputError
from esl.export.label_ids import ids_of_classes
from esl.files import sha256_of_file, write_json
from esl.labels.png import write_png
from esl.stages.export_label_ids import main
from tests.data.dataset_files import image_file, label_file, label_of

FRAME = "berlin_000000_000019"


def _index(root: Path, name: str = "cityscapes", class_set: str = "cityscapes19", split: str = "test") -> Index:
    checks = Checks(labels="scored")
    return inspect(name, format_named(name), root, split, CLASS_SETS[class_set], checks).sound_index()


def test_predictions_of_cityscapes_test_become_the_label_ids_that_its_server_takes(tmp_path: Path) -> None:
    image_file(tmp_path / f"city/leftImg8bit/test/berlin/{FRAME}_leftImg8bit.png", (19, 2))
    index = _index(tmp_path / "city")
    write_json(tmp_path / "index.json", index.to_json())
    prediction = np.stack([np.arange(19, dtype=np.uint8), np.full(19, 13, np.uint8)])
    png = tmp_path / f"predictions/{FRAME}.png"
    write_png(png, prediction, index.class_set)
    files = {FRAME: {"sha256": sha256_of_file(png)}}
    manifest = {"checkpoint_sha256": "0" * 64, "images": 1, "pixels": {}, "files": files}
    write_json(tmp_path / "predictions.json", manifest)
    flags = ["--manifest", "predictions.json", "--index", "index.json", "--output", "server.zip"]
    main([str(tmp_path / flag) if "." in flag else flag for flag in flags])
    with ZipFile(tmp_path / "server.zip") as archive:
        assert archive.namelist() == [f"{FRAME}.png"]
        with Image.open(io.BytesIO(archive.read(f"{FRAME}.png"))) as image:
            assert image.mode == "L"
            expected = [[trainId2label[train_id].id for train_id in row] for row in prediction]
            assert np.asarray(image).tolist() == expected


def test_a_class_of_several_labels_takes_the_id_of_its_name_and_one_without_a_label_is_refused(tmp_path: Path) -> None:
    image_file(tmp_path / f"leftImg8bit/test/berlin/{FRAME}_leftImg8bit.png")
    ids = ids_of_classes(_index(tmp_path, class_set="vistas7"))
    assert ids[:7].tolist() == [7, 11, 17, 21, 23, 24, 26] and not ids[7:].any()
    image_file(tmp_path / "photos/a.png")
    with pytest.raises(InputError, match=r"photos: 'folder' has no label id for 'road'"):
        ids_of_classes(_index(tmp_path / "photos", "folder", split="all"))


def test_dummy_labels_of_a_test_split_are_refused_with_the_way_to_predict_it(tmp_path: Path) -> None:
    image_file(tmp_path / f"leftImg8bit/test/berlin/{FRAME}_leftImg8bit.png")
    label_file(tmp_path / f"gtFine/test/berlin/{FRAME}_gtFine_labelIds.png", label_of([0]))
    with pytest.raises(InputError, match=r"no pixel of any class .*to predict the images without them, remove them"):
        _index(tmp_path)
