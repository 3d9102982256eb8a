"""Stage: predict every image of an index -> a PNG of trainIds for each, at the image's size, and a manifest."""

from pathlib import Path

from esl.evaluation.predict import write_predictions
from esl.evaluation.settings import EvaluateSettings
from esl.files import sha256_of_file, write_json
from esl.labels.manifest import PredictionFile, Predictions
from esl.models.predictor import Predictor
from esl.settings import resize_wh
from esl.stages.command import stage
from esl.stages.opening import model_parser, open_model


def main(arguments: list[str] | None = None) -> None:
    """Predicts every image of an index: checkpoint in, PNGs and their manifest out."""
    flags = model_parser(__doc__, EvaluateSettings).parse_args(arguments)
    model = open_model(flags, EvaluateSettings)
    settings, index = model.settings, model.index
    folder: Path = flags.output.with_suffix("")
    predictor = Predictor(model.network, model.device, window_wh=settings.window_wh)
    pixels, digests = write_predictions(
        predictor, index, folder, to=resize_wh(settings.size), batch=settings.batch_size, workers=flags.threads
    )
    manifest = Predictions(
        checkpoint_sha256=sha256_of_file(flags.checkpoint),
        images=len(digests),
        pixels=dict(zip(index.class_set.classes, pixels.tolist(), strict=True)),
        files={id_: PredictionFile(sha256=digest) for id_, digest in sorted(digests.items())},
    )
    write_json(flags.output, manifest.to_json())


if __name__ == "__main__":
    stage(main)
