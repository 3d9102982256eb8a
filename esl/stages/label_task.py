"""Stage: drawn images and a model -> a zip file that CVAT imports as a project: images with predictions to correct."""

import argparse

from esl.data.index import read_index
from esl.labelling.contents import read_drawn
from esl.labelling.settings import LabelTaskSettings
from esl.labelling.task import write_task
from esl.models.checkpoint import load_checkpoint
from esl.models.predictor import Predictor
from esl.settings import resize_wh
from esl.stages.command import add_paths, add_settings, say, stage
from esl.stages.device import add_threads, make_device


def main(arguments: list[str] | None = None) -> None:
    """Hands over the images to label: a draw, the indices of the target and a checkpoint in, one zip file out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--drawn", "--train-index", "--val-index", "--checkpoint", "--output")
    add_settings(parser, LabelTaskSettings)
    add_threads(parser)
    flags = parser.parse_args(arguments)
    settings, drawn = LabelTaskSettings.from_json(flags.settings), read_drawn(flags.drawn)
    train_index, val_index = read_index(flags.train_index), read_index(flags.val_index)
    network, _ = load_checkpoint(flags.checkpoint, train_index.class_set)
    device = make_device(settings.compute, threads=flags.threads)
    say(f"predicting {len(drawn.measure)} images to measure on and {len(drawn.train)} to train on, on {device.device}")
    write_task(
        flags.output,
        drawn,
        train_index.class_set,
        {"measure": val_index, "train": train_index},
        Predictor(network, device, window_wh=settings.window_wh),
        unsure=settings.unsure,
        to=resize_wh(settings.size),
        batch=settings.batch_size,
        workers=flags.threads,
    )


if __name__ == "__main__":
    stage(main)
