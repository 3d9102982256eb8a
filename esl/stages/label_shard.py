"""Stage: one shard of maps, and thresholds -> its pseudo-label PNGs, and their digests for ``pseudo_label`` to join.

It serves sets so large that a job for each shard is worth its start; ``pseudo_label`` alone does the same for all.
"""

import argparse

from esl.data.index import read_index
from esl.files import sha256_of_file, write_json
from esl.labels.manifest import LabelledShard
from esl.labels.methods.build import build_method
from esl.labels.shard import teacher_of
from esl.labels.thresholds import read_thresholds
from esl.labels.writer import Labelling, write_pngs
from esl.stages.command import add_paths, say, stage


def main(arguments: list[str] | None = None) -> None:
    """Labels one shard: maps and thresholds in, PNGs and their digests out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--maps", "--thresholds", "--index", "--folder", "--output")
    parser.add_argument("--threads", type=int, default=1, help="threads that mask and compress")
    flags = parser.parse_args(arguments)
    thresholds = read_thresholds(flags.thresholds)
    origin = teacher_of([flags.maps], thresholds, flags.thresholds)
    method = build_method(thresholds.method, thresholds.parameters)
    labelling = Labelling([flags.maps], thresholds.values, method, read_index(flags.index), flags.folder)
    written = write_pngs(labelling, workers=flags.threads)
    content = LabelledShard(
        images=len(written.files),
        teacher_sha256=origin.checkpoint_sha256,
        thresholds_sha256=sha256_of_file(flags.thresholds),
        pixels=written.pixels.tolist(),
        files=written.files,
    )
    write_json(flags.output, content.to_json())
    say(f"{len(written.files)} pseudo-labels of {flags.maps}")


if __name__ == "__main__":
    stage(main)
