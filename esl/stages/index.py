"""Stage: open every file of a dataset's split once and write the index, or list every defect.

Next to the index it records the files and planning's tokens: see ``esl.data.changes``.
"""

import argparse
import sys
from pathlib import Path

from esl.data.changes import State, record_of, stats_of, write_record
from esl.data.formats.base import require_root
from esl.data.formats.build import format_named
from esl.data.inspection import inspect
from esl.data.settings import IndexSettings
from esl.errors import InputError
from esl.files import write_json
from esl.stages.command import add_paths, add_settings, stage


def main(arguments: list[str] | None = None) -> None:
    """Checks one part of the data: reads its files, writes the index and a record of the files."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_settings(parser, IndexSettings)
    add_paths(parser, "--output")
    parser.add_argument("--token", default="", help="planning's token of the state of the files; recorded unchanged")
    parser.add_argument("--image-token", default="", help="planning's token of the images alone; recorded unchanged")
    parser.add_argument("--workers", type=int, default=2, help="processes that open files")
    flags = parser.parse_args(arguments)
    settings = IndexSettings.from_json(flags.settings)
    format_, split = format_named(settings.dataset, settings.declaration), settings.split
    try:
        root = require_root(Path(settings.root), settings.key)
        stats = stats_of(format_, root, split)  # before any file is read: a later change shows in the next plan
        inspection = inspect(
            settings.dataset, format_, root, split, settings.class_set, settings, workers=flags.workers
        )
        index = inspection.sound_index()
    except InputError as error:
        # Snakemake has removed the index, and would train models again in the run that makes it
        raise InputError(
            f"{error}\n  Once this is corrected, run `snakemake --cores 1 {flags.output}` by itself first (with the "
            "same --configfile, if any): then models are trained again only if the data have changed"
        ) from None
    for note in inspection.notes:
        print(f"note: {note}", file=sys.stderr)
    print(f"{root}: {len(index.samples)} images, {len(index.labelled)} of them labelled, no defects", file=sys.stderr)
    write_record(record_of(flags.output), State(flags.token, flags.image_token), root, stats, index.digests())
    write_json(flags.output, index.to_json())


if __name__ == "__main__":
    stage(main)
