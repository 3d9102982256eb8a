"""Stage: what a model sees in every picture of an index -> a PNG of trainIds for each, at its size, and a manifest."""

import argparse
from pathlib import Path

import numpy as np

from esl.data.index import read_index
from esl.files import sha256_of_file, write_json
from esl.labels.inference import Predictor, write_predictions
from esl.models.checkpoint import load_checkpoint
from esl.stages.command import add_paths, resize, stage
from esl.stages.device import add_device, make_fabric


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    parser.add_argument("--size", type=resize, required=True, help="WIDTHxHEIGHT, the longer side, or own")
    parser.add_argument("--batch-size", type=int, required=True)
    add_device(parser)
    flags = parser.parse_args()
    index = read_index(flags.index)
    network, _ = load_checkpoint(flags.checkpoint, index.class_set)
    folder: Path = flags.output.with_suffix("")
    predictor = Predictor(network, make_fabric(flags))
    pixels, digests = write_predictions(
        predictor, index, folder, size=flags.size, batch=flags.batch_size, workers=flags.threads
    )
    write_json(
        flags.output,
        {
            "checkpoint_sha256": sha256_of_file(flags.checkpoint),
            "images": len(digests),
            "pixels": dict(zip(index.class_set.classes, np.asarray(pixels).tolist(), strict=True)),
            "files": {id_: {"sha256": digest} for id_, digest in sorted(digests.items())},
        },
    )


if __name__ == "__main__":
    stage(main)
