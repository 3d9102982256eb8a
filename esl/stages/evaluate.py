"""Stage: score a model against the labels of the target validation set -> miou.json, and each image's part.

Without any label there is nothing to evaluate: the file says so with nulls, and no network is run.
"""

from esl.evaluation.confusions import confusions_path, write_confusions
from esl.evaluation.scores import Scorer
from esl.evaluation.settings import EvaluateSettings
from esl.files import write_json
from esl.labelling.truth import scored_on
from esl.stages.command import say, stage
from esl.stages.opening import add_labels, model_parser, open_model
from esl.tables import percent


def main(arguments: list[str] | None = None) -> None:
    """Scores one model: checkpoint and index in, miou.json out, and confusions.npz next to it."""
    parser = model_parser(__doc__, EvaluateSettings)
    add_labels(parser)
    flags = parser.parse_args(arguments)
    model = open_model(flags, EvaluateSettings)
    index, at_random = scored_on(flags.labels, model.index)
    say(f"evaluating on {len(index.labelled)} labelled images, {model.place}")
    scorer = Scorer(index, model.settings, model.device, flags.threads, at_random)
    confusions = scorer.confusions(model.network)
    scores = scorer.summed(confusions, flags.checkpoint, model.description)
    write_confusions(confusions_path(flags.output), confusions)
    write_json(flags.output, scores.to_json())
    for name, value in scores.miou.items():
        say(f"{name}: {'nothing to score' if value is None else f'mIoU {percent(value)}'}")


if __name__ == "__main__":
    stage(main)
