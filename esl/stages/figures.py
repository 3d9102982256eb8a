"""Stage: some target pictures beside every round's pseudo-labels and, where it exists, the truth -> one PNG."""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.data.images import read_label, read_picture
from esl.data.index import Index, IndexedSample, read_index
from esl.evaluation.figures import in_colour, save_sheet
from esl.files import read_json
from esl.labels.png import png_path, train_id_table
from esl.stages.command import add_paths, stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, required=True, nargs="+", help="pseudo_labels.json of every round")
    add_paths(parser, "--index", "--output")
    parser.add_argument("--pictures", type=int, default=6, help="how many, evenly spread over the data set")
    flags = parser.parse_args()
    index = read_index(flags.index)
    positions = np.linspace(0, len(index.samples) - 1, min(flags.pictures, len(index.samples))).round().astype(int)
    rows = [_row(index, index.samples[position], flags.manifests) for position in positions]
    save_sheet(flags.output, rows, index.class_set)


def _row(index: Index, sample: IndexedSample, manifests: list[Path]) -> dict[str, NDArray[np.uint8]]:
    """The picture, each round's pseudo-label under the round's name with its kept share, and the truth."""
    class_set = index.class_set
    row = {"target picture": read_picture(index.picture(sample))}
    for manifest in manifests:
        kept = read_json(manifest)["kept"]
        label = read_label(png_path(manifest.with_suffix(""), sample.id), train_id_table(class_set))
        row[f"{manifest.parent.name} ({100 * kept:.0f} % kept)"] = in_colour(label, class_set)
    if sample.label is not None:
        row["truth"] = in_colour(index.read_label(sample), class_set)
    return row


if __name__ == "__main__":
    stage(main)
