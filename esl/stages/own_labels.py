"""Stage: the labels that the target's dataset has for drawn images -> labels.json and PNGs, as if just labelled."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.files import write_json
from esl.labelling.contents import read_drawn
from esl.labelling.own import own_labels
from esl.stages.command import add_paths, say, stage


def main(arguments: list[str] | None = None) -> None:
    """Takes the labels of the images drawn for training from their dataset: draw and index in, labels.json out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--drawn", "--index", "--output")
    flags = parser.parse_args(arguments)
    output: Path = flags.output
    labels = own_labels(read_drawn(flags.drawn), read_index(flags.index), output.with_suffix(""))
    write_json(output, labels.to_json())
    say(f"{labels.images} labels for training: {output}")


if __name__ == "__main__":
    stage(main)
