"""Stage: run a model over one shard of the target training set -> an HDF5 file of maps."""

from esl.errors import InputError
from esl.files import sha256_of_file
from esl.labels.confidence import INTERPOLATION
from esl.labels.inference import planes, write_maps
from esl.labels.measures.build import measure_named
from esl.labels.measures.registry import MEASURES
from esl.labels.settings import InferSettings
from esl.labels.shard import Origin, write_shard
from esl.models.predictor import Predictor
from esl.settings import resize_wh
from esl.stages.command import say, stage
from esl.stages.opening import model_parser, open_model


def main(arguments: list[str] | None = None) -> None:
    """Makes the maps of one shard: checkpoint and index in, HDF5 out."""
    parser = model_parser(__doc__, InferSettings)
    parser.add_argument("--shard", required=True, help="the part, such as 1-of-2")
    flags = parser.parse_args(arguments)
    model = open_model(flags, InferSettings)
    settings, index = model.settings, model.index
    number, total = (int(part) for part in flags.shard.split("-of-"))
    samples = index.samples[number - 1 :: total]
    if not samples:
        raise InputError(f"inference.shards: {total} shards for only {len(index.samples)} images; ask for fewer")
    predictor = Predictor(model.network, model.device, settings.views, settings.window_wh)
    to = resize_wh(settings.size)
    say(f"inferring {len(samples)} of {len(index.samples)} images {model.place}")
    predictions = predictor.predictions(index, samples, to=to, batch=settings.batch_size, workers=flags.threads)
    # the gate needs the mean entropy
    measures = [measure_named(name) for name in MEASURES if name in ("entropy", *settings.maps)]
    with write_shard(
        flags.output,
        len(samples),
        Origin(index.class_set.classes, sha256_of_file(flags.checkpoint), INTERPOLATION, tuple(settings.views)),
        stored=settings.maps,
        counted=[measure.name for measure in measures],
        planes=planes(predictor, samples, to),
    ) as writer:
        write_maps(predictions, measures, writer, workers=flags.threads)


if __name__ == "__main__":
    stage(main)
