"""Stage: the logs of a benchmark's trainings -> one PNG with their curves."""

import argparse
from pathlib import Path

from esl.figures.training import draw_training, read_log
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws the trainings of one benchmark: train.csv of its models in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--logs", type=Path, required=True, nargs="+", help="train.csv of models, whose folders name them"
    )
    parser.add_argument("--benchmark", required=True, help="its name, for the title")
    add_paths(parser, "--output")
    flags = parser.parse_args(arguments)
    draw_training(flags.output, flags.benchmark, {path.parent.name: read_log(path) for path in flags.logs})


if __name__ == "__main__":
    stage(main)
