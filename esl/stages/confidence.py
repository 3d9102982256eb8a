"""Stage: stored maps of one or several teachers or views -> how well each confidence measure ranks predictions."""

import argparse
from pathlib import Path

from esl.data.index import read_index
from esl.errors import InputError
from esl.evaluation.confidence import compare_maps, confidence_table
from esl.files import atomic_path, write_json
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Compares measures: maps and a labelled index in, confidence.json and a table in Markdown out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--maps", type=Path, required=True, nargs="+", help="shards, or folders of shards; a folder is a set of maps"
    )
    add_paths(parser, "--index", "--output", "--table")
    flags = parser.parse_args(arguments)
    content = compare_maps(_sets(flags.maps), read_index(flags.index))
    with atomic_path(flags.table) as part:
        part.write_text(confidence_table(content), encoding="utf-8")
    write_json(flags.output, content.to_json())


def _sets(paths: list[Path]) -> dict[str, list[Path]]:
    """The folder of each set of maps -> its shards.

    Raises:
        InputError: a folder holds no shard.
    """
    sets: dict[str, list[Path]] = {}
    for path in paths:
        shards = sorted(path.glob("*.h5")) if path.is_dir() else [path]
        if not shards:
            raise InputError(f"{path}: no maps (*.h5) here; run the inference first")
        for shard in shards:
            sets.setdefault(shard.parent.as_posix(), []).append(shard)
    return sets


if __name__ == "__main__":
    stage(main)
