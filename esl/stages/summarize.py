"""Stage: every model's miou.json -> the benchmark's, with all models next to each other, and a text table.

Intervals come from the confusions.npz next to each.
"""

import argparse
import json
from pathlib import Path

from esl.evaluation.confusions import read_confusions_of
from esl.evaluation.contents import BenchmarkScores, read_best_snapshot, read_scores
from esl.evaluation.intervals import intervals_of
from esl.evaluation.report import require_same_labels, table
from esl.files import atomic_path, write_json
from esl.stages.command import add_paths, stage


def main(arguments: list[str] | None = None) -> None:
    """Compares the models of one benchmark: their miou.json in, the benchmark's and a table out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, nargs="+", help="miou.json of every model, in order")
    add_paths(parser, "--output", "--table")
    parser.add_argument("--best", type=Path, default=[], nargs="*", help="best_snapshot.json of models that have one")
    parser.add_argument("--benchmark", required=True, help="its name, the title of the table")
    parser.add_argument("--controls", default="{}", help="the control of each round, by name, as JSON")
    flags = parser.parse_args(arguments)
    controls: dict[str, str] = json.loads(flags.controls)
    best = {path: read_best_snapshot(path) for path in flags.best}
    models = {path: read_scores(path) for path in flags.models}
    require_same_labels({**best, **models})
    confusions = {path.parent.name: read_confusions_of(path, scores) for path, scores in models.items()}
    content = BenchmarkScores(
        benchmark=flags.benchmark,
        models={path.parent.name: scores for path, scores in models.items()},
        best_snapshots={path.parent.name: scores for path, scores in best.items()},
        controls=controls,
        intervals=intervals_of(confusions, controls),
    )
    with atomic_path(flags.table) as part:
        part.write_text(table(content), encoding="utf-8")
    write_json(flags.output, content.to_json())


if __name__ == "__main__":
    stage(main)
