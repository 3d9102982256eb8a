"""Renders the miniature as one dataset; writes a manifest next to its folder last."""

import argparse
import sys
from pathlib import Path

from esl.errors import InputError
from miniature.dataset import render_miniature
from miniature.settings import LAYOUTS, MiniatureSettings


def main(arguments: list[str] | None = None) -> None:
    keys = "\n".join(f"  {name}: {field.description}" for name, field in MiniatureSettings.model_fields.items())
    parser = argparse.ArgumentParser(
        prog="python -m miniature",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=f"keys of --settings:\n{keys}",
    )
    parser.add_argument("--root", type=Path, required=True, help="folder of the dataset")
    parser.add_argument("--layout", choices=LAYOUTS, required=True, help="gta5, synthia and varied are sources")
    parser.add_argument("--seed", type=int, default=0, help="another seed gives other scenes")
    parser.add_argument(
        "--settings", default="{}", metavar="JSON", help="size, number and look of the images; keys: see below"
    )
    parser.add_argument("--workers", type=int, default=2, help="processes; the files do not depend on it")
    flags = parser.parse_args(arguments)
    settings = MiniatureSettings.from_json(flags.settings)
    render_miniature(flags.root, flags.layout, settings, seed=flags.seed, workers=flags.workers)


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
