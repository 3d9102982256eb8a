"""Stage: a model against the labels of the target validation set -> miou.json.

Without any label there is nothing to evaluate with: the file says so with nulls, and no network is run.
"""

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import nn

from esl.classes import ClassSet
from esl.data.index import Index, read_index
from esl.evaluation.metrics import intersection_over_union, mean_iou, pixel_accuracy
from esl.files import sha256_of_file, write_json
from esl.labels.inference import Predictor, confusion_on
from esl.models.checkpoint import Description, load_checkpoint
from esl.stages.command import add_paths, resize, stage
from esl.stages.device import add_device, make_fabric


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_evaluation(parser)
    flags = parser.parse_args()
    index = read_index(flags.index)
    network, description = load_checkpoint(flags.checkpoint, index.class_set)
    write_json(flags.output, evaluated(flags.checkpoint, network, description, index, make_fabric(flags), flags))


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Adds what an evaluation has to know."""
    add_paths(parser, "--checkpoint", "--index", "--output")
    parser.add_argument("--size", type=resize, required=True, help="of pictures: WIDTHxHEIGHT, the longer side, or own")
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--data", help="what to call the data; default: the index's fingerprint")
    add_device(parser)


def evaluated(
    path: Path, network: nn.Module, description: Description, index: Index, fabric: Fabric, flags: argparse.Namespace
) -> dict[str, Any]:
    """The content of miou.json for the ``network`` of the checkpoint ``path``."""
    if index.labelled:
        predictor = Predictor(network, fabric)
        confusion = confusion_on(predictor, index, size=flags.size, batch=flags.batch_size, workers=flags.threads)
    else:
        confusion = np.zeros((len(index.class_set), len(index.class_set)), dtype=np.int64)
        print(
            f"{index.root}: nothing to evaluate with: none of {len(index.samples)} pictures has a label",
            file=sys.stderr,
        )
    resolutions = sorted({sample.label_size or sample.size for sample in index.labelled})
    return {
        **scores(confusion, index.class_set),
        "label_resolution": [f"{width}x{height}" for width, height in resolutions],
        "images": len(index.labelled),
        "unlabelled": len(index.samples) - len(index.labelled),
        "data": flags.data or index.fingerprint(),
        "settings": {"size": flags.size, "precision": flags.precision, "training": description.settings},
        "versions": {name: version(name) for name in ("torch", "torchvision", "numpy", "pillow")},
        "checkpoint_sha256": sha256_of_file(path),
    }


def scores(confusion: NDArray[np.int64], class_set: ClassSet) -> dict[str, Any]:
    """The figures of a confusion matrix, keyed by the names of the class set; fractions, null where undefined."""
    iou = dict(zip(class_set.classes, intersection_over_union(confusion), strict=True))
    return {
        "miou": {
            name: mean_iou([iou[class_] for class_ in classes])
            for name, classes in ({class_set.name: class_set.classes} | dict(class_set.beside)).items()
        },
        "iou": iou,
        "pixel_accuracy": pixel_accuracy(confusion),
        "confusion": confusion.tolist(),
    }


if __name__ == "__main__":
    stage(main)
