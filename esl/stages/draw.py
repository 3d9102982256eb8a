"""Stage: choose which target images to label, for scores and for training -> draw.json."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.files import write_json
from esl.labelling.drawing import draw_images
from esl.labelling.draws.base import Evidence
from esl.labelling.settings import DrawSettings
from esl.stages.command import add_paths, add_settings, say, stage


def main(arguments: list[str] | None = None) -> None:
    """Draws images to label: indices in, draw.json out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--index", "--validation", "--output")
    parser.add_argument("--pseudo-labels", type=Path, help="manifest of a round, for rules that read it")
    parser.add_argument("--maps", type=Path, nargs="*", default=[], help="shards of its teacher, for rules that do")
    add_settings(parser, DrawSettings)
    flags = parser.parse_args(arguments)
    settings = DrawSettings.from_json(flags.settings)
    evidence = Evidence(read_index(flags.index), flags.pseudo_labels, flags.maps)
    drawn = draw_images(evidence, read_index(flags.validation), settings)
    write_json(flags.output, drawn.to_json())
    say(f"{len(drawn.measure)} images for scores, {len(drawn.train)} for training ({drawn.rule}): {flags.output}")


if __name__ == "__main__":
    stage(main)
