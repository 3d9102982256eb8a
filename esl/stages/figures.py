"""Stage: some target images next to pseudo-labels or predictions and, where they exist, the labels -> one PNG."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.figures.sheet import label_rows, save_sheet
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws the pseudo-labels of rounds, or the predictions of models: manifests and index in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--manifests", type=Path, required=True, nargs="+", help="pseudo_labels.json of rounds, or predictions.json"
    )
    add_paths(parser, "--index", "--output")
    parser.add_argument("--images", type=int, default=6, help="how many, evenly spread over the dataset")
    flags = parser.parse_args(arguments)
    index = read_index(flags.index)
    save_sheet(flags.output, label_rows(index, flags.manifests, flags.images), index.class_set)


if __name__ == "__main__":
    stage(main)
