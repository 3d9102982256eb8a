"""Stage: the scores of a benchmark's models -> one PNG with the IoU of each class and its differences."""

import argparse

from esl.evaluation.contents import read_table
from esl.figures.iou import draw_iou
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws the scores of one benchmark: its miou.json in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--scores", "--output")
    flags = parser.parse_args(arguments)
    draw_iou(flags.output, read_table(flags.scores))


if __name__ == "__main__":
    stage(main)
