"""Stage: a round's pseudo-labels -> a file that a labelling tool imports: CVAT, FiftyOne, or any that reads COCO."""

import argparse
from collections.abc import Callable, Iterable
from pathlib import Path

from esl.classes import ClassSet
from esl.data.index import read_index
from esl.export.coco import write_coco
from esl.export.cvat import write_cvat
from esl.export.fiftyone import write_fiftyone
from esl.export.items import Item, items
from esl.stages.command import add_paths, stage

FORMATS: dict[str, Callable[[Path, Iterable[Item], ClassSet], None]] = {
    "coco": write_coco,
    "cvat": write_cvat,
    "fiftyone": write_fiftyone,
}


def main(arguments: list[str] | None = None) -> None:
    """Hands over one round: manifest, index and the teacher's maps in, one file out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--format", choices=sorted(FORMATS), required=True)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the round's teacher")
    add_paths(parser, "--manifest", "--index", "--output")
    flags = parser.parse_args(arguments)
    index = read_index(flags.index)
    FORMATS[flags.format](flags.output, items(index, flags.manifest, flags.maps), index.class_set)


if __name__ == "__main__":
    stage(main)
