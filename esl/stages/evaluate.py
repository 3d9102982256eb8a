"""Stage: score a model against the labels of the target validation set -> miou.json.

Without any label there is nothing to evaluate: the file says so with nulls, and no network is run.
"""

import argparse

from esl.data.index import read_index
from esl.evaluation.scores import score_model
from esl.evaluation.settings import EvaluateSettings
from esl.files import write_json
from esl.models.checkpoint import load_checkpoint
from esl.stages.command import add_paths, add_settings, say, stage
from esl.stages.device import add_threads, make_device


def main(arguments: list[str] | None = None) -> None:
    """Scores one model: checkpoint and index in, miou.json out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    add_settings(parser, EvaluateSettings)
    add_threads(parser)
    flags = parser.parse_args(arguments)
    settings = EvaluateSettings.from_json(flags.settings)
    index = read_index(flags.index)
    network, description = load_checkpoint(flags.checkpoint, index.class_set)
    device = make_device(settings.compute, threads=flags.threads)
    say(f"evaluating on {len(index.labelled)} labelled images, on {device.device}, {flags.threads} threads")
    content = score_model(
        flags.checkpoint, network, description, index, settings,
        device=device, threads=flags.threads,
    )  # fmt: skip
    write_json(flags.output, content)
    for name, value in content["miou"].items():
        score = "nothing to score" if value is None else f"mIoU {100 * value:.1f} %"
        say(f"{name}: {score}")


if __name__ == "__main__":
    stage(main)
