"""Stage: choose the best of a training's snapshots by the labels that they are scored on -> best_snapshot.json.

Most published numbers come from such a choice. It needs target labels, so it is not unsupervised, and it flatters:
compare it only with numbers of the same kind.
"""

from dataclasses import replace

from esl.errors import InputError
from esl.evaluation.contents import BestSnapshot, Candidate
from esl.evaluation.scores import Scorer
from esl.evaluation.settings import EvaluateSettings
from esl.files import write_json
from esl.labelling.truth import scored_on
from esl.models.checkpoint import load_checkpoint
from esl.models.snapshots import find_snapshots
from esl.stages.command import stage
from esl.stages.opening import add_labels, model_parser, open_model
from esl.tables import percent

CHOSEN_BY = "mIoU on the labels that it is scored on: not unsupervised"


def main(arguments: list[str] | None = None) -> None:
    """Scores every snapshot of one training: checkpoint and index in, best_snapshot.json out."""
    parser = model_parser(__doc__, EvaluateSettings)
    add_labels(parser)
    flags = parser.parse_args(arguments)
    model = open_model(flags, EvaluateSettings)
    (index, _), last = scored_on(flags.labels, model.index), model.description
    scorer = Scorer(index, model.settings, model.device, flags.threads)
    results = {}
    for iteration, path in find_snapshots(flags.checkpoint).items():
        network, description = load_checkpoint(path, index.class_set)
        if description != replace(last, provenance={**last.provenance, "iteration": iteration}):
            raise InputError(f"{path}: belongs to another training than {flags.checkpoint}; delete it")
        results[iteration] = scorer.score(path, network, description)
    iterations: int = last.settings["schedule"]["iterations"]
    results[iterations] = scorer.score(flags.checkpoint, model.network, last)
    miou = {iteration: scores.miou[index.class_set.name] for iteration, scores in results.items()}
    for iteration, value in miou.items():
        print(f"iteration {iteration}: {percent(value)}")
    best = max(miou, key=lambda iteration: (miou[iteration] or 0, iteration))
    candidates = [Candidate(iteration=iteration, miou=value) for iteration, value in miou.items()]
    chosen = BestSnapshot(**dict(results[best]), chosen_by=CHOSEN_BY, iteration=best, candidates=candidates)
    write_json(flags.output, chosen.to_json())


if __name__ == "__main__":
    stage(main)
