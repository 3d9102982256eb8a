"""The task for a labelling tool: drawn images with predictions to correct, in a zip file that CVAT imports.

It is the dataset of a project, "Segmentation mask 1.1" with images; ``masks.py`` has the layout. The subset of an image
is its set.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.data.images import Resize, read_bytes
from esl.data.index import Index, IndexedSample
from esl.errors import InputError
from esl.files import atomic_path
from esl.labelling.annotated import without_ending
from esl.labelling.contents import Drawn, DrawnImage, LabelSet
from esl.labelling.masks import MaskWriter
from esl.labels.confidence import confidence_maps, label_map
from esl.labels.fixed_point import TOP
from esl.labels.measures.max_probability import MaxProbability
from esl.models.predictor import Prediction, Predictor, extra_threads
from esl.prefetch import prefetch

SURE = 0.9
"""The smallest maximum probability of a sure pixel, as BDL keeps pseudo-labels from (Li et al. 2019)."""

Unsure = Literal["empty", "filled"]
"""Pixels below ``SURE``: without a label, or with the likeliest."""


class _Prepared(NamedTuple):
    """An image of a task, ready to be written."""

    path: str
    content: bytes  # of the image's file
    mask: bytes
    objects: bytes


def write_task(
    output: Path,
    drawn: Drawn,
    class_set: ClassSet,
    indices: Mapping[LabelSet, Index],
    predictor: Predictor,
    *,
    unsure: Unsure,
    to: Resize,
    batch: int,
    workers: int = 1,
) -> None:
    """Writes the zip file: the bytes of each drawn image, and its prediction at the image's own size.

    Images are resized to ``to`` for the network, ``batch`` at a time on a GPU.

    Raises:
        InputError: no image was drawn, or one has changed since; two images differ only in their ending; or CVAT cannot
            hold a class: see ``MaskWriter``.
    """
    sets: dict[LabelSet, dict[str, DrawnImage]] = {"measure": drawn.measure, "train": drawn.train}
    chosen = {set_: _samples(images, indices[set_]) for set_, images in sets.items()}
    if not any(chosen.values()):
        raise InputError("no image was drawn for labels; ask for some of `measure` or `train`")
    with atomic_path(output) as part, ZipFile(part, "w") as archive:
        writer = MaskWriter(archive, class_set)
        for set_, samples in chosen.items():
            index = indices[set_]
            predictions = predictor.predictions(index, samples, to=to, batch=batch, workers=workers)
            prepare = partial(_prepared, writer, index, unsure)
            for each in prefetch(prepare, predictions, extra_threads(workers)):
                writer.add(set_, without_ending(each.path), each.mask, each.objects)
                writer.add_image(each.path, each.content)
        writer.finish()


def _samples(drawn: Mapping[str, DrawnImage], index: Index) -> list[IndexedSample]:
    """The samples of the drawn images, in the order of the draw; InputError if they are not those of the index."""
    samples = {sample.id: sample for sample in index.samples}
    for id_, image in drawn.items():
        if id_ not in samples or samples[id_].image_sha256 != image.sha256:
            raise InputError(
                f"{Path(index.root) / image.image}: changed or gone since it was drawn to be labelled; draw again: "
                "delete draw.json and run the workflow"
            )
    return [samples[id_] for id_ in drawn]


def _prepared(writer: MaskWriter, index: Index, unsure: Unsure, prediction: Prediction) -> _Prepared:
    sample = prediction.sample
    label = predicted_label(prediction, unsure)
    return _Prepared(sample.image, read_bytes(index.image(sample))[1], *writer.encoded(label))


def predicted_label(prediction: Prediction, unsure: Unsure) -> NDArray[np.uint8]:
    """The predicted trainIds (H, W) at the size of the image's file; ``IGNORE`` for pixels that are left empty."""
    width, height = prediction.sample.size_wh
    if unsure == "filled":
        return label_map(prediction.probability, (height, width))
    confidence = MaxProbability()
    maps = confidence_maps(prediction.probability, (height, width), [confidence])
    return np.where(maps[confidence.name] < SURE * TOP, np.uint8(IGNORE), maps["label"])
