"""Stage: predict every image of an index -> a PNG of trainIds for each, at the image's size, and a manifest."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.evaluation.predict import write_predictions
from esl.evaluation.settings import EvaluateSettings
from esl.files import sha256_of_file, write_json
from esl.models.checkpoint import load_checkpoint
from esl.models.predictor import Predictor
from esl.settings import resize_wh
from esl.stages.command import add_paths, add_settings, stage
from esl.stages.device import add_threads, make_device


def main(arguments: list[str] | None = None) -> None:
    """Predicts every image of an index: checkpoint in, PNGs and their manifest out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    add_settings(parser, EvaluateSettings)
    add_threads(parser)
    flags = parser.parse_args(arguments)
    settings = EvaluateSettings.from_json(flags.settings)
    index = read_index(flags.index)
    network, _ = load_checkpoint(flags.checkpoint, index.class_set)
    folder: Path = flags.output.with_suffix("")
    device = make_device(settings.compute, threads=flags.threads)
    predictor = Predictor(network, device, window_wh=settings.window_wh)
    pixels, digests = write_predictions(
        predictor, index, folder, to=resize_wh(settings.size), batch=settings.batch_size, workers=flags.threads
    )
    write_json(
        flags.output,
        {
            "checkpoint_sha256": sha256_of_file(flags.checkpoint),
            "images": len(digests),
            "pixels": dict(zip(index.class_set.classes, pixels.tolist(), strict=True)),
            "files": {id_: {"sha256": digest} for id_, digest in sorted(digests.items())},
        },
    )


if __name__ == "__main__":
    stage(main)
