"""Stage: corrected labels of target images -> a PNG of trainIds for each, and their sets and counts."""

import argparse

from esl.data.index import read_index
from esl.files import write_json
from esl.labelling.returned import write_labels
from esl.labelling.settings import LabelsSettings
from esl.stages.command import add_paths, add_settings, say, stage


def main(arguments: list[str] | None = None) -> None:
    """Brings labels back: a file or folder of a labelling tool in, PNGs and their manifest out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--train-index", "--val-index", "--output")
    add_settings(parser, LabelsSettings)
    flags = parser.parse_args(arguments)
    settings = LabelsSettings.from_json(flags.settings)
    labels = write_labels(
        settings,
        {"measure": read_index(flags.val_index), "train": read_index(flags.train_index)},
        flags.output.with_suffix(""),
    )
    write_json(flags.output, labels.to_json())
    measure = sum(file.set == "measure" for file in labels.files.values())
    say(f"{labels.origin}: labels of {measure} image(s) for scores, and of {labels.images - measure} for training")


if __name__ == "__main__":
    stage(main)
