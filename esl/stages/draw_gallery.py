"""Stage: the maps, thresholds and pseudo-labels of a round -> one PNG that shows some images, chosen by rule."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.figures.choice import choose, survey
from esl.figures.gallery import Round, draw_gallery, gallery_entries
from esl.figures.style import draw_statement
from esl.labels.manifest import read_manifest
from esl.labels.measures.build import measure_named
from esl.labels.shard import teacher_of
from esl.labels.thresholds import read_thresholds
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws the gallery of one round: maps, thresholds, manifest and index in, one PNG out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the teacher")
    add_paths(parser, "--thresholds", "--manifest", "--index", "--output")
    parser.add_argument("--before", type=Path, help="pseudo_labels.json of the round before")
    parser.add_argument("--images", type=int, default=8, help="at most how many")
    parser.add_argument("--threads", type=int, default=1, help="threads that read pseudo-labels and labels")
    flags = parser.parse_args(arguments)
    thresholds, manifest = read_thresholds(flags.thresholds), read_manifest(flags.manifest)
    index = read_index(flags.index)
    teacher_of(flags.maps, thresholds, flags.thresholds)
    name, folder = flags.manifest.parent.name, flags.manifest.with_suffix("")
    if thresholds.measure is None:
        draw_statement(flags.output, f"{name}: gallery", f"The method {thresholds.method} keeps no pixel.")
        return
    before = None if flags.before is None else flags.before.with_suffix("")
    round_ = Round(name, flags.maps, folder, before, measure_named(thresholds.measure))
    found = survey(index, manifest, folder, workers=flags.threads)
    reasons = choose(found, index.class_set.classes, flags.images)
    draw_gallery(flags.output, round_, index, gallery_entries(index, round_, found, reasons), manifest.kept)


if __name__ == "__main__":
    stage(main)
