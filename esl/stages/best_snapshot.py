"""Stage: choose the best of a training's snapshots by the labels that they are scored on -> best_snapshot.json.

Most published numbers come from such a choice. It needs target labels, so it is not unsupervised, and it flatters:
compare it only with numbers of the same kind.
"""

import argparse
from dataclasses import replace
from functools import partial
from typing import Any

from esl.classes import ClassSet
from esl.data.index import read_index
from esl.errors import InputError
from esl.evaluation.scores import score_model
from esl.evaluation.settings import EvaluateSettings
from esl.files import write_json
from esl.models.checkpoint import load_checkpoint
from esl.models.snapshots import find_snapshots
from esl.stages.command import add_paths, add_settings, stage
from esl.stages.device import add_threads, make_device

CHOSEN_BY = "mIoU on the labels that it is scored on: not unsupervised"


def main(arguments: list[str] | None = None) -> None:
    """Scores every snapshot of one training: checkpoint and index in, best_snapshot.json out."""
    parser = argparse.ArgumentParser(description=__doc__)
    add_paths(parser, "--checkpoint", "--index", "--output")
    add_settings(parser, EvaluateSettings)
    add_threads(parser)
    flags = parser.parse_args(arguments)
    settings = EvaluateSettings.from_json(flags.settings)
    index = read_index(flags.index)
    final, last = load_checkpoint(flags.checkpoint, index.class_set)
    score = partial(
        score_model,
        index=index,
        settings=settings,
        device=make_device(settings.compute, threads=flags.threads),
        threads=flags.threads,
    )
    results = {}
    for iteration, path in find_snapshots(flags.checkpoint).items():
        network, description = load_checkpoint(path, index.class_set)
        if description != replace(last, provenance={**last.provenance, "iteration": iteration}):
            raise InputError(f"{path}: belongs to another training than {flags.checkpoint}; delete it")
        results[iteration] = score(path, network, description)
    results[last.settings["schedule"]["iterations"]] = score(flags.checkpoint, final, last)
    for iteration, result in results.items():
        print(f"iteration {iteration}: {_miou(result, index.class_set)}")
    best = max(results, key=lambda iteration: (_miou(results[iteration], index.class_set) or 0, iteration))
    candidates = [
        {"iteration": iteration, "miou": _miou(result, index.class_set)} for iteration, result in results.items()
    ]
    chosen = {"chosen_by": CHOSEN_BY, "iteration": best, "candidates": candidates}
    write_json(flags.output, {**chosen, **results[best]})


def _miou(result: dict[str, Any], class_set: ClassSet) -> float | None:
    """The mean IoU over all classes of the class set; ``None`` without any label."""
    value: float | None = result["miou"][class_set.name]
    return value


if __name__ == "__main__":
    stage(main)
