"""Stage: the best of a training's snapshots, chosen by the labels that it is scored on -> best_snapshot.json.

Most published figures are of such a choice. It needs target labels, so that it is not unsupervised, and flatters: a
figure of it compares with figures of the same kind alone.
"""

import argparse
from dataclasses import replace
from typing import Any

from esl.classes import ClassSet
from esl.data.index import read_index
from esl.errors import InputError
from esl.files import write_json
from esl.models.checkpoint import load_checkpoint
from esl.models.snapshots import find_snapshots
from esl.stages.command import stage
from esl.stages.device import make_fabric
from esl.stages.evaluate import add_evaluation, evaluated

CHOSEN_BY = "mIoU on the labels that it is scored on: not unsupervised"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_evaluation(parser)
    flags = parser.parse_args()
    index = read_index(flags.index)
    final, last = load_checkpoint(flags.checkpoint, index.class_set)
    fabric = make_fabric(flags)
    results = {}
    for iteration, path in find_snapshots(flags.checkpoint).items():
        network, description = load_checkpoint(path, index.class_set)
        if description != replace(last, provenance={**last.provenance, "iteration": iteration}):
            raise InputError(f"{path}: of another training than {flags.checkpoint}; delete it")
        results[iteration] = evaluated(path, network, description, index, fabric, flags)
    results[last.settings["iterations"]] = evaluated(flags.checkpoint, final, last, index, fabric, flags)
    for iteration, result in results.items():
        print(f"iteration {iteration}: {_miou(result, index.class_set)}")
    best = max(results, key=lambda iteration: (_miou(results[iteration], index.class_set) or 0, iteration))
    candidates = [
        {"iteration": iteration, "miou": _miou(result, index.class_set)} for iteration, result in results.items()
    ]
    chosen = {"chosen_by": CHOSEN_BY, "iteration": best, "candidates": candidates}
    write_json(flags.output, {**chosen, **results[best]})


def _miou(result: dict[str, Any], class_set: ClassSet) -> float | None:
    """The mean over the classes that the model tells apart; ``None`` without any label."""
    value: float | None = result["miou"][class_set.name]
    return value


if __name__ == "__main__":
    stage(main)
