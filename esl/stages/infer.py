"""Stage: one shard of the target training set through a model, to an HDF5 file of maps."""

import argparse

from esl.data.index import read_index
from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.confidence import INTERPOLATION
from esl.labels.inference import Predictor, planes, write_maps
from esl.labels.shard import OPTIONAL_MAPS, Origin, write_shard
from esl.models.checkpoint import load_checkpoint
from esl.stages.command import add_paths, resize, stage
from esl.stages.device import add_device, make_fabric


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    parser.add_argument("--shard", required=True, help="which part, such as 1-of-2")
    parser.add_argument("--size", type=resize, required=True, help="WIDTHxHEIGHT, the longer side, or own")
    parser.add_argument("--batch-size", type=int, required=True)
    parser.add_argument("--maps", nargs="*", default=OPTIONAL_MAPS, choices=OPTIONAL_MAPS, help="stored beside label")
    add_device(parser)
    flags = parser.parse_args()
    index = read_index(flags.index)
    network, _ = load_checkpoint(flags.checkpoint, index.class_set)
    number, total = (int(part) for part in flags.shard.split("-of-"))
    samples = index.samples[number - 1 :: total]
    if not samples:
        raise InputError(f"inference.shards: {total} shards for only {len(index.samples)} pictures; ask for fewer")
    origin = Origin(index.class_set.classes, sha256_of_file(flags.checkpoint), INTERPOLATION)
    predictor = Predictor(network, make_fabric(flags))
    shape = planes(predictor, samples, flags.size)
    with write_shard(flags.output, len(samples), origin, flags.maps, shape) as writer:
        write_maps(predictor, index, samples, writer, size=flags.size, batch=flags.batch_size, workers=flags.threads)


if __name__ == "__main__":
    stage(main)
