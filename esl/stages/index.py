"""Stage: open every file of a data set's split once and write the index, or list every defect."""

import argparse
from pathlib import Path

from esl.classes import CLASS_SETS
from esl.datasets.formats import FORMATS, existing_root
from esl.datasets.index import Checks, build_index
from esl.files import write_json
from esl.stages.command import add_paths, stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--root", "--output")
    parser.add_argument("--key", required=True, help="where the config names the data set, for messages")
    parser.add_argument("--dataset", required=True, choices=FORMATS)
    parser.add_argument("--split", required=True)
    parser.add_argument("--class-set", required=True, choices=CLASS_SETS)
    parser.add_argument("--labels", required=True, choices=("required", "optional"))
    parser.add_argument("--mismatched-labels", default="error", choices=("error", "resize"))
    parser.add_argument("--same-size", action="store_true", help="all pictures must have one size")
    parser.add_argument("--workers", type=int, default=1)
    flags = parser.parse_args()
    checks = Checks(flags.labels, flags.mismatched_labels, flags.same_size)
    root: Path = existing_root(flags.root, flags.key)
    index = build_index(flags.dataset, root, flags.split, flags.class_set, checks, workers=flags.workers)
    write_json(flags.output, index.to_json())


if __name__ == "__main__":
    stage(main)
