"""Stage: a round's thresholds and its teacher's histograms -> one PNG."""

import argparse
from pathlib import Path

from esl.figures.thresholds import draw_thresholds
from esl.labels.shard import teacher_of
from esl.labels.thresholds import read_thresholds
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws the thresholds of one round: maps and thresholds.json in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the teacher")
    add_paths(parser, "--thresholds", "--output")
    flags = parser.parse_args(arguments)
    thresholds = read_thresholds(flags.thresholds)
    teacher_of(flags.maps, thresholds, flags.thresholds)
    draw_thresholds(flags.output, flags.output.parent.name, thresholds, flags.maps)


if __name__ == "__main__":
    stage(main)
