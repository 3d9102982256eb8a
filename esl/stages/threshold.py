"""Stage: the histograms of a teacher's shards -> one threshold per class over the whole target training set."""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.files import write_json
from esl.labels.fixed_point import CODES, TOP
from esl.labels.measures.registry import MEASURES
from esl.labels.methods.base import Method, Threshold
from esl.labels.methods.build import build_method, method_settings
from esl.labels.settings import ThresholdSettings
from esl.labels.shard import Origin, open_shard, same_origin
from esl.labels.thresholds import ClassThreshold, Thresholds
from esl.stages.command import add_paths, add_settings, say, stage
from esl.tables import percent


def main(arguments: list[str] | None = None) -> None:
    """Chooses the thresholds of one round: maps in, thresholds.json out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+", help="every shard of the teacher")
    add_paths(parser, "--output")
    add_settings(parser, ThresholdSettings)
    flags = parser.parse_args(arguments)
    settings = ThresholdSettings.from_json(flags.settings)
    method_settings(settings.method, settings.parameters)  # mistakes are reported before any file is read
    origin = same_origin(flags.maps)
    method = build_method(settings.method, settings.parameters, origin.classes)
    measures = [name for name in MEASURES if name in ("entropy", *method.maps)]
    histograms = {name: np.zeros((len(origin.classes), CODES), dtype=np.int64) for name in measures}
    images = 0
    for path in flags.maps:
        with open_shard(path) as shard:
            images += len(shard.ids)
            for name, histogram in histograms.items():
                histogram += shard.histogram(name)
    content = _content(histograms, method, settings.round, origin, images)
    write_json(flags.output, content.to_json())
    kept = "an unknown share" if content.kept is None else percent(content.kept)
    say(f"{method.name} over {images} images keeps {kept} of all pixels; mean entropy {content.mean_entropy:.3f}")


def _content(
    histograms: dict[str, NDArray[np.int64]], method: Method, round_: int, origin: Origin, images: int
) -> Thresholds:
    """The content of thresholds.json; ``kept`` is null for a method whose thresholds depend on the image."""
    thresholds = method.thresholds(histograms, round_)
    pixels = sum(threshold.pixels for threshold in thresholds)
    kept = sum(threshold.kept or 0 for threshold in thresholds)
    entropies = histograms["entropy"].sum(axis=0)
    return Thresholds(
        method=method.name,
        measure=None if method.measure is None else method.measure.name,
        round=round_,
        parameters=method.settings.parameters(),
        images=images,
        teacher_sha256=origin.checkpoint_sha256,
        views=[*origin.views],
        mean_entropy=float(entropies @ np.arange(CODES)) / TOP / pixels,
        kept=None if any(threshold.kept is None for threshold in thresholds) else kept / pixels,
        classes={name: _class_threshold(threshold) for name, threshold in zip(origin.classes, thresholds, strict=True)},
    )


def _class_threshold(threshold: Threshold) -> ClassThreshold:
    return ClassThreshold(
        pixels=threshold.pixels,
        quantile_value=threshold.quantile_value,
        threshold=threshold.value,
        bounded=threshold.bounded,
        kept=threshold.kept / threshold.pixels if threshold.pixels and threshold.kept is not None else None,
    )


if __name__ == "__main__":
    stage(main)
