"""Stage: maps and thresholds -> pseudo-label PNGs, and the manifest with their digests, shares and quality."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.files import sha256_of_file, write_json
from esl.labels.methods.build import build_method
from esl.labels.shard import teacher_of
from esl.labels.thresholds import read_thresholds
from esl.labels.writer import Labelling, joined, write_pseudo_labels
from esl.stages.command import add_paths, say, stage
from esl.tables import percent


def main(arguments: list[str] | None = None) -> None:
    """Labels the target of one round: maps and thresholds in, PNGs and their manifest out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the teacher")
    add_paths(parser, "--thresholds", "--index", "--output")
    parser.add_argument("--labelled", type=Path, help="folder with the output of label_shard for every shard")
    parser.add_argument("--threads", type=int, default=1, help="threads that mask and compress")
    flags = parser.parse_args(arguments)
    thresholds = read_thresholds(flags.thresholds)
    origin = teacher_of(flags.maps, thresholds, flags.thresholds)
    method = build_method(thresholds.method, thresholds.parameters)
    written = None
    if flags.labelled is not None:
        parts = [flags.labelled / f"{maps.stem}.json" for maps in flags.maps]
        written = joined(parts, origin.checkpoint_sha256, sha256_of_file(flags.thresholds))
    folder: Path = flags.output.with_suffix("")
    labelling = Labelling(flags.maps, thresholds.values, method, read_index(flags.index), folder)
    manifest = write_pseudo_labels(labelling, origin.checkpoint_sha256, workers=flags.threads, written=written)
    write_json(flags.output, manifest.to_json())
    accuracy = None if manifest.quality is None else manifest.quality.accuracy
    right = "" if accuracy is None else f", {percent(accuracy)} of them right"
    say(f"{manifest.images} pseudo-labels: {percent(manifest.kept)} of all pixels{right}")


if __name__ == "__main__":
    stage(main)
