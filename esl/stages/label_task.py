"""Stage: drawn images, and what a model predicts for them -> a task for CVAT."""

import argparse
from collections.abc import Iterator
from pathlib import Path

from esl.data.index import Index, read_index
from esl.export.task import TaskItem, annotation, drawn_samples, write_task
from esl.labelling.contents import LabelSet, read_drawn
from esl.labelling.settings import LabelTaskSettings
from esl.models.checkpoint import load_checkpoint
from esl.models.predictor import Predictor
from esl.settings import resize_wh
from esl.stages.command import add_paths, add_settings, say, stage
from esl.stages.device import add_threads, make_device


def main(arguments: list[str] | None = None) -> None:
    """Hands over drawn images: draw, indices and checkpoint in, a zip file out."""
    flags = _parser().parse_args(arguments)
    settings = LabelTaskSettings.from_json(flags.settings)
    indices: dict[LabelSet, Index] = {"measure": read_index(flags.validation), "train": read_index(flags.index)}
    class_set = indices["train"].class_set
    network, _ = load_checkpoint(flags.checkpoint, class_set)
    device = make_device(settings.compute, threads=flags.threads)
    predictor = Predictor(network, device, window_wh=settings.window_wh)
    samples = drawn_samples(read_drawn(flags.drawn), indices)

    def items() -> Iterator[TaskItem]:
        for set_, own in samples.items():
            predictions = predictor.predictions(
                indices[set_], own, to=resize_wh(settings.size), batch=settings.batch_size, workers=flags.threads
            )
            for each in predictions:
                yield TaskItem(set_, indices[set_], each.sample, annotation(each, unsure=settings.unsure))

    write_task(flags.output, items(), class_set)
    say(f"{len(samples['measure'])} images for scores, {len(samples['train'])} for training: {flags.output}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--validation", "--output")
    parser.add_argument("--drawn", type=Path, required=True, help="draw.json")
    add_settings(parser, LabelTaskSettings)
    add_threads(parser)
    return parser


if __name__ == "__main__":
    stage(main)
