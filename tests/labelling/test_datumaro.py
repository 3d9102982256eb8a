"""Labels survive CVAT's own importer and exporter, pixel for pixel, under names with spaces, dots and other letters."""

import shutil
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from esl.labelling.kinds import annotated_images
from tests.labelling.datumaro_tool import converted
from tests.labelling.label_files import CLASSES, NAMES, Target, sets_of, write_masks


@pytest.mark.parametrize("kind", ["voc_segmentation", "coco_instances"])
def test_labels_come_back_from_datumaro_pixel_for_pixel(target: Target, tmp_path: Path, kind: str) -> None:
    with ZipFile(write_masks(tmp_path / "x.zip", target.labels)) as archive:
        archive.extractall(tmp_path / "imported")
    if kind == "coco_instances":  # which names an image by its path
        shutil.copytree(target.root, tmp_path / "imported/JPEGImages")
    exported = converted(tmp_path / "imported", kind, tmp_path / "exported")
    packed = Path(shutil.make_archive(str(tmp_path / "packed"), "zip", exported))
    for path in (exported, packed):
        assert {set_: sorted(names) for set_, names in sets_of(path).items()} == {
            set_: sorted(names) for set_, names in NAMES.items()
        }
        for image in annotated_images(path):
            assert image.set is not None
            label = image.read(CLASSES)
            assert np.array_equal(label.train_ids, target.labels[image.set][image.name]) and not label.unknown
