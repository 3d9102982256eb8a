"""Stage: the source model with the batch-norm statistics of the target pictures (AdaBN); no label is read."""

import argparse
from dataclasses import replace

from esl.data.index import read_index
from esl.data.stream import Augmentation, Pairs, Stream
from esl.files import sha256_of_file
from esl.labels.png import train_id_table
from esl.models.checkpoint import load_checkpoint, save_checkpoint
from esl.stages.command import add_paths, crop, resize, stage
from esl.stages.device import add_device, make_fabric
from esl.training.adabn import adapt_batch_norm


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    parser.add_argument("--size", type=resize, required=True, help="WIDTHxHEIGHT, the longer side, or own")
    parser.add_argument("--crop", type=crop, required=True, help="WIDTHxHEIGHT of what the network sees, or whole")
    parser.add_argument("--min-scale", type=float, required=True)
    parser.add_argument("--flip", type=float, default=0.5)
    for name in ("batch-size", "seed", "workers"):
        parser.add_argument(f"--{name}", type=int, required=True)
    add_device(parser)
    flags = parser.parse_args()
    index = read_index(flags.index)
    network, description = load_checkpoint(flags.checkpoint, index.class_set)
    unlabelled = [(index.picture(sample), None) for sample in index.samples]
    augmentation = Augmentation(flags.crop, flags.min_scale, colour=0, blur=0, flip=flags.flip)
    pairs = Pairs(unlabelled, train_id_table(index.class_set), flags.size)
    target = Stream(pairs, augmentation, (flags.seed, 1))
    adapt_batch_norm(network, target, batch=flags.batch_size, fabric=make_fabric(flags), workers=flags.workers)
    added = {"initial": sha256_of_file(flags.checkpoint), "target_pictures": index.picture_fingerprint()}
    settings = {**description.settings, "adaptation": "abn"}
    adapted = replace(description, settings=settings, provenance={**description.provenance, **added})
    save_checkpoint(flags.output, network, adapted)


if __name__ == "__main__":
    stage(main)
