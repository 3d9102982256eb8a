"""Stage: maps and thresholds -> pseudo-label PNGs, and the manifest with their digests, shares and quality."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.files import sha256_of_file, write_json
from esl.labels.methods.build import build_method
from esl.labels.shard import teacher_of
from esl.labels.thresholds import read_thresholds
from esl.labels.writer import joined, write_pseudo_labels
from esl.stages.command import add_paths, say, stage


def main(arguments: list[str] | None = None) -> None:
    """Labels the target of one round: maps and thresholds in, PNGs and their manifest out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the teacher")
    add_paths(parser, "--thresholds", "--index", "--output")
    parser.add_argument("--labelled", type=Path, help="folder of what label_shard wrote for every shard, if it did")
    parser.add_argument("--threads", type=int, default=1, help="threads that mask and compress")
    flags = parser.parse_args(arguments)
    thresholds = read_thresholds(flags.thresholds)
    origin = teacher_of(flags.maps, thresholds, flags.thresholds)
    method = build_method(thresholds["method"], thresholds["parameters"])
    values = [thresholds["classes"][name]["threshold"] for name in origin.classes]
    folder: Path = flags.output.with_suffix("")
    written = None
    if flags.labelled is not None:
        parts = [flags.labelled / f"{maps.stem}.json" for maps in flags.maps]
        written = joined(parts, origin.checkpoint_sha256, sha256_of_file(flags.thresholds))
    index = read_index(flags.index)
    manifest = write_pseudo_labels(flags.maps, values, method, index, folder, workers=flags.threads, written=written)
    write_json(flags.output, {"method": method.name, "teacher_sha256": origin.checkpoint_sha256, **manifest})
    accuracy = (manifest["quality"] or {}).get("accuracy")
    right = "" if accuracy is None else f", {100 * accuracy:.1f} % of them right"
    say(f"{manifest['images']} pseudo-labels: {100 * manifest['kept']:.1f} % of all pixels{right}")


if __name__ == "__main__":
    stage(main)
