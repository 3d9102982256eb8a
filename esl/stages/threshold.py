"""Stage: the histograms of a teacher's shards -> one threshold per class over the whole target training set.

Before anything is trained on what they keep, a gate looks at it: see ``esl.gate``.
"""

import argparse
import sys
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from esl.errors import InputError
from esl.files import read_json, write_json
from esl.fixed_point import CODES, TOP
from esl.gate import Gate, objections
from esl.maps import MEASURES, Origin, open_shard, same_origin
from esl.rules import RULES, Rule, make_rule
from esl.selection import class_threshold
from esl.stages.command import add_paths, stage

REJECTED = "rejected.json"
"""What lies beside where thresholds.json would, when the gate has stopped a round: the same content."""


def main() -> None:
    flags = _parser().parse_args()
    rule = make_rule(flags.rule, flags.quantile, flags.bound)
    origin = same_origin(flags.maps)
    histograms = {measure: np.zeros((len(origin.classes), CODES), dtype=np.int64) for measure in MEASURES}
    images = 0
    for path in flags.maps:
        with open_shard(path) as shard:
            images += len(shard.ids)
            for measure, histogram in histograms.items():
                histogram += shard.histogram(measure)
    content = _thresholds(histograms, rule, origin, images)
    gate = Gate(**{item.name: getattr(flags, item.name) for item in fields(Gate)})
    before = None if flags.before is None else read_json(flags.before)
    found = [] if flags.gate == "off" else objections(content, before, gate)
    rejected = flags.output.with_name(REJECTED)
    if found and flags.gate == "stop":
        write_json(rejected, {**content, "objections": found, "gate": asdict(gate)})
        raise InputError(
            f"{flags.output.parent.name} is not trained, since {'; '.join(found)}.\n  Its thresholds are in {rejected}"
            ". Train its teacher with a lower learning rate or fewer iterations, or run fewer rounds; where this is as "
            "it should be, move the bounds of `gate` in the config, or set its action to warn"
        )
    for objection in found:
        print(f"warning: {flags.output.parent.name}: {objection}", file=sys.stderr)
    rejected.unlink(missing_ok=True)
    write_json(flags.output, {**content, "warnings": found})


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maps", type=Path, required=True, nargs="+")
    add_paths(parser, "--output")
    parser.add_argument("--rule", required=True, choices=RULES)
    parser.add_argument("--quantile", type=float, help="fraction in [0, 1]; default: as published")
    parser.add_argument("--bound", type=float, help="in [0, 1]; default: as published")
    parser.add_argument("--before", type=Path, help="thresholds.json of the same method's round before")
    parser.add_argument("--gate", choices=("stop", "warn", "off"), default="off", help="what an objection leads to")
    for item in fields(Gate):
        parser.add_argument(f"--{item.name.replace('_', '-')}", type=float, default=item.default)
    return parser


def _thresholds(histograms: dict[str, NDArray[np.int64]], rule: Rule, origin: Origin, images: int) -> dict[str, Any]:
    """The content of thresholds.json, but for what the gate says of it."""
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
