"""The dataset's own labels in place of a person's: read back as the same trainIds."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from esl.data.index import Index
from esl.errors import InputError
from esl.files import write_json
from esl.labelling.contents import Drawn, DrawnImage, read_labels
from esl.labelling.own import own_labels
from esl.labelling.truth import labelled_by


def _drawn(index: Index, rows: slice) -> Drawn:
    train = {s.id: DrawnImage(image=s.image, sha256=s.image_sha256, score=None) for s in index.samples[rows]}
    return Drawn(rule="random", seed=0, measure={}, train=train)


@pytest.fixture
def labels(tmp_path: Path, small_index: Index) -> Path:
    """labels.json of the first two images."""
    content = own_labels(_drawn(small_index, slice(2)), small_index, tmp_path / "labels")
    write_json(tmp_path / "labels.json", content.to_json())
    return tmp_path / "labels.json"


def test_labels_come_back_as_the_same_pixels(labels: Path, small_index: Index) -> None:
    index = labelled_by(labels, small_index, "train")
    assert [sample.id for sample in index.samples] == [sample.id for sample in small_index.samples[:2]]
    for ours, theirs in zip(index.samples, small_index.samples, strict=False):
        np.testing.assert_array_equal(index.read_label(ours), small_index.read_label(theirs))
        assert ours.pixels == theirs.pixels
    assert labelled_by(labels, small_index, "measure").samples == []
    assert read_labels(labels).pixels == index.class_pixels()


def test_fewer_drawn_images_leave_no_stale_png(labels: Path, small_index: Index) -> None:
    own_labels(_drawn(small_index, slice(1)), small_index, labels.with_suffix(""))
    assert [path.stem for path in labels.with_suffix("").iterdir()] == [small_index.samples[0].id]


def test_a_drawn_image_without_a_label_or_of_other_content_is_refused(labels: Path, small_index: Index) -> None:
    first, *rest = small_index.samples
    bare = replace(small_index, samples=[replace(first, label=None, pixels=None, label_sha256=None), *rest])
    with pytest.raises(InputError, match=f"target.labels is `own`, but '{first.id}' was drawn and has no label"):
        own_labels(_drawn(small_index, slice(2)), bare, labels.with_suffix(""))
    other = replace(small_index, samples=[replace(first, image_sha256="0" * 64), *rest])
    with pytest.raises(InputError, match=f"'{first.id}' was labelled on another image"):
        labelled_by(labels, other, "train")
    png = labels.with_suffix("") / f"{first.id}.png"
    png.write_bytes(png.read_bytes() + b"x")
    with pytest.raises(InputError, match=f"{png.name}: changed since it was written"):
        labelled_by(labels, small_index, "train")
