"""Stage: the scores of one model -> one PNG with its confusion matrix."""

import argparse

from esl.evaluation.contents import read_scores
from esl.figures.confusion import draw_confusion
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws the confusion of one model: its miou.json in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--scores", "--output")
    flags = parser.parse_args(arguments)
    draw_confusion(flags.output, flags.scores.parent.name, read_scores(flags.scores))


if __name__ == "__main__":
    stage(main)
