"""Stage: the source model with the batch-norm statistics of the target images (AdaBN); no label is read."""

import argparse
from dataclasses import replace

from esl.data.index import read_index
from esl.data.stream import Pairs, Stream
from esl.files import sha256_of_file
from esl.labels.png import train_id_table
from esl.models.checkpoint import load_checkpoint, save_checkpoint
from esl.settings import resize_wh
from esl.stages.command import add_paths, add_settings, say, stage
from esl.stages.fabric import add_processes, make_fabric
from esl.training.adabn import adapt_batch_norm
from esl.training.seeds import Purpose
from esl.training.settings import AdaptSettings


def main(arguments: list[str] | None = None) -> None:
    """Adapts one model: settings, checkpoint and target images in, checkpoint out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    parser.add_argument("--workers", type=int, default=0, help="processes that read and augment images")
    add_processes(parser)
    add_settings(parser, AdaptSettings)
    flags = parser.parse_args(arguments)
    settings = AdaptSettings.from_json(flags.settings)
    index = read_index(flags.index)
    network, description = load_checkpoint(flags.checkpoint, index.class_set)
    files = [(index.image(sample), None) for sample in index.samples]
    pairs = Pairs(files, train_id_table(index.class_set), resize_wh(settings.target_size))
    true_colours = settings.augmentation.model_copy(update={"colour": 0.0, "blur": 0.0})
    target = Stream(pairs, true_colours, (settings.seed, Purpose.TARGET))
    fabric = make_fabric(settings.compute, threads=flags.threads, devices=flags.devices)
    say(f"adapting batch norm to {len(index.samples)} images on {fabric.device}, {flags.threads} threads")
    adapt_batch_norm(network, target, batch=settings.batch_size, fabric=fabric, workers=flags.workers)
    inputs = {"initial": sha256_of_file(flags.checkpoint), "target_images": index.image_fingerprint()}
    new_settings = {**description.settings, "adaptation": "abn"}
    new = replace(description, settings=new_settings, provenance={**description.provenance, **inputs})
    save_checkpoint(flags.output, network.state_dict(), new)


if __name__ == "__main__":
    stage(main)
