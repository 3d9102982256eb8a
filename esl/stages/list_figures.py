"""Stage: the figures of a benchmark -> a page in Markdown that shows them all."""

import argparse
from pathlib import Path

from esl.figures.page import figure_page
from esl.files import atomic_path
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Lists the figures of one benchmark: PNGs in, a page next to them out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figures", type=Path, required=True, nargs="+", help="PNGs below the folder of the page")
    parser.add_argument("--benchmark", required=True, help="its name, for the title")
    add_paths(parser, "--output")
    flags = parser.parse_args(arguments)
    figures = [path.relative_to(flags.output.parent) for path in flags.figures]
    with atomic_path(flags.output) as part:
        part.write_text(figure_page(flags.benchmark, figures), encoding="utf-8")


if __name__ == "__main__":
    stage(main)
