"""Stage: the histograms of a teacher's shards -> one threshold per class over the whole target training set."""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.files import write_json
from esl.labels.fixed_point import CODES, TOP
from esl.labels.rules import RULES, Rule, make_rule
from esl.labels.selection import class_threshold
from esl.labels.shard import MEASURES, Origin, open_shard, same_origin
from esl.stages.command import add_paths, stage


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--maps", type=Path, required=True, nargs="+")
    add_paths(parser, "--output")
    parser.add_argument("--rule", required=True, choices=RULES)
    parser.add_argument("--quantile", type=float, help="fraction in [0, 1]; default: as published")
    parser.add_argument("--bound", type=float, help="in [0, 1]; default: as published")
    flags = parser.parse_args()
    rule = make_rule(flags.rule, flags.quantile, flags.bound)
    origin = same_origin(flags.maps)
    histograms = {measure: np.zeros((len(origin.classes), CODES), dtype=np.int64) for measure in MEASURES}
    images = 0
    for path in flags.maps:
        with open_shard(path) as shard:
            images += len(shard.ids)
            for measure, histogram in histograms.items():
                histogram += shard.histogram(measure)
    write_json(flags.output, _thresholds(histograms, rule, origin, images))


def _thresholds(histograms: dict[str, NDArray[np.int64]], rule: Rule, origin: Origin, images: int) -> dict[str, Any]:
    """The content of thresholds.json."""
    thresholds = [class_threshold(counts, rule) for counts in histograms[rule.measure or "entropy"]]
    pixels = sum(threshold.pixels for threshold in thresholds)
    entropies = histograms["entropy"].sum(axis=0)
    return {
        "rule": rule.name,
        "measure": rule.measure,
        "quantile": rule.quantile,
        "bound": rule.bound,
        "images": images,
        "teacher_sha256": origin.checkpoint_sha256,
        "mean_entropy": float(entropies @ np.arange(CODES)) / TOP / pixels,
        "kept": sum(threshold.kept for threshold in thresholds) / pixels,
        "classes": {
            name: {
                "pixels": threshold.pixels,
                "quantile_value": threshold.quantile_value,
                "threshold": threshold.value,
                "bounded": threshold.bounded,
                "kept": threshold.kept / threshold.pixels if threshold.pixels else None,
            }
            for name, threshold in zip(origin.classes, thresholds, strict=True)
        },
    }


if __name__ == "__main__":
    stage(main)
