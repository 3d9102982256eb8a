"""Stage: labels of target images that came back from a labelling tool -> labels.json, and PNGs of trainIds."""

import argparse
from collections import Counter
from pathlib import Path

from esl.data.index import read_index
from esl.files import write_json
from esl.labelling.contents import LabelSet
from esl.labelling.returning import returned_labels
from esl.labelling.settings import LabelsSettings
from esl.stages.command import add_paths, add_settings, say, stage


def main(arguments: list[str] | None = None) -> None:
    """Takes labels in: the indices of the images to train on and to score and the labels' paths in, labels.json out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--index", "--validation", "--output")
    add_settings(parser, LabelsSettings)
    flags = parser.parse_args(arguments)
    output: Path = flags.output
    indices: dict[LabelSet, Path] = {"measure": flags.validation, "train": flags.index}
    read = {set_: read_index(path) for set_, path in indices.items()}
    labels = returned_labels(LabelsSettings.from_json(flags.settings), read, output.with_suffix(""))
    write_json(output, labels.to_json())
    counts = Counter(file.set for file in labels.files.values())
    say(f"{counts['measure']} labels for scores, {counts['train']} for training: {output}")


if __name__ == "__main__":
    stage(main)
