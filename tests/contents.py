"""Whole contents of the files that stages exchange, from the part of them that a test is about."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from esl.classes import ClassSet
from esl.data.class_sets import CLASS_SETS
from esl.errors import InputError
from esl.evaluation.confusions import Confusions, write_confusions
from esl.evaluation.scores import scores
from esl.files import write_json

Content = dict[str, Any]

DIGEST = "0" * 64

ONE_FILE: Mapping[str, Content] = {"frame": {}}


def whole_scores(**partial: Any) -> Content:
    """A model's miou.json: ``partial``, and plausible values of all other keys, of the classes of its ``iou``."""
    iou = partial.get("iou", {"road": 0.5, "sky": 0.25})
    content = {
        "miou": {"cityscapes19": 0.375},
        "iou": iou,
        "pixel_accuracy": 0.75,
        "confusion": [[int(row == column) for column in iou] for row in iou],
        "label_resolution": ["24x16"],
        "images": 5,
        "unlabelled": 0,
        "data": "miniature",
        "labels_sha256": DIGEST,
        "settings": {"size": "own"},
        "versions": {"numpy": "2.0.0"},
        "checkpoint_sha256": DIGEST,
    }
    return content | partial


def confusions_of(
    matrices: Sequence[NDArray[np.int64]],
    class_set: ClassSet = CLASS_SETS["cityscapes19"],
    ids: Sequence[str] | None = None,
    *,
    drawn_at_random: bool = False,
) -> Confusions:
    """Matrices of images with these ids in a folder `images`; by default each is its own sequence."""
    names = [f"bonn_{number:06d}_000019" for number in range(len(matrices))] if ids is None else ids
    samples = [(id_, f"images/{id_}.png") for id_ in names]
    return Confusions.of(samples, matrices, class_set, DIGEST, drawn_at_random=drawn_at_random)


def write_scored(folder: Path, confusions: Confusions, class_set: ClassSet = CLASS_SETS["cityscapes19"]) -> None:
    """The miou.json and the confusions.npz of a model."""
    found = scores(confusions.total(), class_set).to_json()
    write_json(folder / "miou.json", whole_scores(**found, images=len(confusions.ids)))
    write_confusions(folder / "confusions.npz", confusions)


def whole_table(models: Mapping[str, Content], benchmark: str = "gta2city") -> Content:
    """A benchmark's miou.json, from the name of each model and what ``whole_scores`` completes.

    The control of each round is that of the same number, or the first.
    """
    content = {name: whole_scores(**partial) for name, partial in models.items()}
    controls = {}
    for name in models:
        if "-round" in name and not name.startswith("control-") and "control-round1" in models:
            own = f"control-{name.rpartition('-')[2]}"
            controls[name] = own if own in models else "control-round1"
    return {"benchmark": benchmark, "models": content} | ({"controls": controls} if controls else {})


def whole_labelled_shard(files: Mapping[str, Content] = ONE_FILE, **partial: Any) -> Content:
    """What ``label_shard`` leaves for ``files``, sample id -> some keys of its entry; the rest is plausible."""
    content = {
        "images": len(files),
        "teacher_sha256": DIGEST,
        "thresholds_sha256": DIGEST,
        "pixels": [384] + [0] * 255,
        "files": {id_: {"sha256": DIGEST, "kept": 1.0} | entry for id_, entry in files.items()},
    }
    return content | partial


def whole_manifest(files: Mapping[str, Content] = ONE_FILE, **partial: Any) -> Content:
    """A pseudo_labels.json of ``files``, sample id -> some keys of its entry; and plausible values of all others.

    ``quality`` is completed, too, unless it is ``None``.
    """
    if partial.get("quality") is not None:
        whole = {"labelled_images": 1, "coverage": 1.0, "accuracy": 1.0, "classes": {}}
        partial["quality"] = whole | {"accuracy_at_coverage": {}, "risk_coverage": {}} | partial["quality"]
    content = {
        "method": "esl",
        "teacher_sha256": DIGEST,
        "images": len(files),
        "kept": 1.0,
        "kept_pixels": {"road": 384},
        "quality": None,
        "files": {id_: {"sha256": DIGEST, "kept": 1.0} | entry for id_, entry in files.items()},
    }
    return content | partial


def whole_predictions(files: Mapping[str, Content] = ONE_FILE, **partial: Any) -> Content:
    """A predictions.json, completed as ``whole_manifest`` completes a pseudo_labels.json."""
    content = {
        "checkpoint_sha256": DIGEST,
        "images": len(files),
        "pixels": {"road": 384},
        "files": {id_: {"sha256": DIGEST} | entry for id_, entry in files.items()},
    }
    return content | partial


def refused(path: Path, text: str, reason: str, read: Callable[[Path], Any]) -> None:
    """Checks that ``read`` refuses a file of this text in one line, with this reason and a cure."""
    path.write_text(text)
    with pytest.raises(InputError, match=rf"{path.name}: not {reason}.*; delete it") as caught:
        read(path)
    assert len(str(caught.value).splitlines()) == 1
