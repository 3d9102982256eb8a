"""A benchmark over several seeds: every model's mIoU, its gain over the control, and the quality of pseudo-labels."""

import re
from pathlib import Path
from statistics import mean
from typing import Any

from esl.evaluation.contents import read_table
from esl.labels.manifest import read_manifest

SHOWN_COVERAGES = ("0.3", "0.5", "0.7", "0.9")

CONTROL = re.compile(r"control-round\d+")


def compare_seeds(results: dict[str, Path]) -> dict[str, Any]:
    """The content of reproduce.json, from seed -> miou.json of the benchmark at that seed.

    ``miou``, ``gain_over_control`` and ``gap_closed`` map models to seed -> fraction; ``pseudo_labels`` is by round.
    """
    models = {seed: read_table(path)["models"] for seed, path in results.items()}
    folders = {seed: path.parent for seed, path in results.items()}
    rounds = [name for name in next(iter(models.values())) if "-round" in name and not name.startswith("control-")]
    return {"seeds": [int(seed) for seed in results], **gains(models), "pseudo_labels": label_quality(folders, rounds)}


def gains(models: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Model -> seed -> mIoU; the same of the gain of every round over its control; and of the gap that it closes.

    ``models`` maps seed -> model -> its scores. The control of a round is that of the same number, or else the last
    there is. The gap is that between source only and the oracle: 0 is the first, 1 the second.
    """
    names = list(next(iter(models.values())))
    miou = {
        name: {seed: next(iter(scores[name]["miou"].values())) for seed, scores in models.items()} for name in names
    }
    controls = [name for name in names if CONTROL.fullmatch(name)]
    rounds = [name for name in names if "-round" in name and name not in controls]
    gain = {
        name: {seed: _difference(miou[name][seed], miou[control_of(name, controls)][seed]) for seed in models}
        for name in rounds
        if controls
    }
    closed = {
        name: {seed: _share(*(miou[model][seed] for model in ("source", name, "oracle"))) for seed in models}
        for name in [*controls, *rounds]
        if {"source", "oracle"} <= set(names)
    }
    return {"miou": miou, "gain_over_control": gain, "gap_closed": closed}


def control_of(name: str, controls: list[str]) -> str:
    """The control of the same round as the round ``name``, or else the last of ``controls``."""
    same = f"control-{name.rpartition('-')[2]}"
    return same if same in controls else controls[-1]


def label_quality(folders: dict[str, Path], rounds: list[str]) -> dict[str, Any]:
    """Round -> coverage and accuracy of its pseudo-labels, and accuracy of every measure at equal coverage, by seed.

    ``folders`` maps seed -> the folder of the results. A round whose images have no labels, or that keeps nothing on
    purpose, is left out.
    """
    quality = {
        name: {seed: read_manifest(folder / name / "pseudo_labels.json")["quality"] for seed, folder in folders.items()}
        for name in rounds
    }
    return {
        name: {
            key: {seed: values[key] for seed, values in by_seed.items()}
            for key in ("coverage", "accuracy", "accuracy_at_coverage")
        }
        for name, by_seed in quality.items()
        if all(by_seed.values()) and any(values["coverage"] for values in by_seed.values())
    }


def seed_table(summary: dict[str, Any]) -> str:
    """The comparison as Markdown, in percent: mIoU per seed, gains over the control, quality of the pseudo-labels."""
    columns = [str(seed) for seed in summary["seeds"]]
    if not any(value is not None for values in summary["miou"].values() for value in values.values()):
        return "nothing to compare: no validation image has a label\n"
    lines = [_row(["mIoU in percent, seed", *columns, "mean"]), _row(["---", *["---:"] * (len(columns) + 1)])]
    for name, values in summary["miou"].items():
        lines.append(_row([name, *_percents(values, columns)]))
    controls = [name for name in summary["miou"] if CONTROL.fullmatch(name)]
    for name, values in summary["gain_over_control"].items():
        lines.append(_row([f"{name} minus {control_of(name, controls)}", *_percents(values, columns, sign="+")]))
    for name, values in summary["gap_closed"].items():
        lines.append(_row([f"{name}: share of the way from source to oracle", *_percents(values, columns)]))
    for name, quality in summary["pseudo_labels"].items():
        for key in ("coverage", "accuracy"):
            lines.append(_row([f"{name}: pseudo-label {key}", *_percents(quality[key], columns)]))
    first = next((name for name in summary["pseudo_labels"] if name.endswith("-round1")), None)
    if first is not None:
        lines += _measure_rows(first, summary["pseudo_labels"][first]["accuracy_at_coverage"], columns)
    return "\n".join(lines) + "\n"


def _measure_rows(name: str, accuracy: dict[str, dict[str, dict[str, float | None]]], columns: list[str]) -> list[str]:
    """Rows of the accuracy of the teacher of the round ``name``, from seed -> measure -> coverage -> accuracy."""
    rows = []
    for coverage in SHOWN_COVERAGES:
        for measure in next(iter(accuracy.values())):
            values = {seed: measures[measure][coverage] for seed, measures in accuracy.items()}
            share = f"{100 * float(coverage):.0f} %, by {measure}"
            rows.append(
                _row([f"{name}: accuracy of its teacher's most confident {share}", *_percents(values, columns)])
            )
    return rows


def _difference(value: float | None, of: float | None) -> float | None:
    return None if value is None or of is None else value - of


def _share(low: float | None, value: float | None, high: float | None) -> float | None:
    """How far ``value`` lies on the way from ``low`` to ``high``; null where there is no way up."""
    return None if low is None or value is None or high is None or high <= low else (value - low) / (high - low)


def _percents(values: dict[str, float | None], columns: list[str], sign: str = "") -> list[str]:
    """The values of the columns and the mean of those there are, in percent; `-` for one that is not there."""
    present = [value for value in values.values() if value is not None]
    row = [*(values[column] for column in columns), mean(present) if present else None]
    return ["-" if value is None else f"{100 * value:{sign}.1f}" for value in row]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
