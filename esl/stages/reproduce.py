"""Stage: a benchmark over several seeds -> every model's mIoU and gain over its control, as JSON and as a table."""

import argparse
from pathlib import Path

from esl.evaluation.seeds import compare_seeds, seed_table
from esl.files import atomic_path, write_json
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Compares one benchmark over seeds: every miou.json in, reproduce.json and a table out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=Path, required=True, nargs="+", help="miou.json of the benchmark at every seed"
    )
    parser.add_argument("--seeds", type=int, required=True, nargs="+", help="the seeds, in the same order")
    add_paths(parser, "--output", "--table")
    flags = parser.parse_args(arguments)
    summary = compare_seeds(dict(zip(map(str, flags.seeds), flags.results, strict=True)))
    with atomic_path(flags.table) as part:
        part.write_text(seed_table(summary), encoding="utf-8")
    write_json(flags.output, summary.to_json())


if __name__ == "__main__":
    stage(main)
