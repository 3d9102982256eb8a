"""Stage: predictions -> a zip of PNGs of the dataset's own label ids, for the server of a test split.

No rule of the workflow runs it: ask for results/{benchmark}/{model}/predictions.json with `val_split: test` first.
"""

import argparse

from esl.data.index import read_index
from esl.export.label_ids import write_label_ids
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Turns trainIds into label ids: manifest and index in, one zip out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_paths(parser, "--manifest", "--index", "--output")
    flags = parser.parse_args(arguments)
    write_label_ids(flags.output, flags.manifest, read_index(flags.index))


if __name__ == "__main__":
    stage(main)
