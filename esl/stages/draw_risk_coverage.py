"""Stage: a teacher's maps against the labels of the target, and the rounds that it teaches -> one PNG."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.figures.risk_coverage import draw_risk_coverage, read_selection
from esl.labels.shard import teacher_of
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws risk against coverage of one teacher: maps, index and rounds in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the teacher")
    parser.add_argument(
        "--rounds", type=Path, default=[], nargs="*", help="pseudo_labels.json of rounds; thresholds.json is next to it"
    )
    add_paths(parser, "--index", "--output")
    flags = parser.parse_args(arguments)
    selections = [read_selection(manifest.parent) for manifest in flags.rounds]
    for manifest, selection in zip(flags.rounds, selections, strict=True):
        teacher_of(flags.maps, selection.thresholds, manifest.with_name("thresholds.json"))
    draw_risk_coverage(flags.output, flags.output.parent.name, flags.maps, read_index(flags.index), selections)


if __name__ == "__main__":
    stage(main)
