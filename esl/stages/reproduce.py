"""Stage: the same benchmark over several seeds -> every model's mIoU beside its control's, as JSON and as a table."""

import argparse
from pathlib import Path
from statistics import mean
from typing import Any

from esl.files import atomic_path, read_json, write_json
from esl.stages.command import add_paths, stage

SHOWN_COVERAGES = ("0.3", "0.5", "0.7", "0.9")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--results", type=Path, required=True, nargs="+", help="miou.json of the benchmark at every seed"
    )
    parser.add_argument("--seeds", type=int, required=True, nargs="+", help="the seeds, in the same order")
    add_paths(parser, "--output", "--table")
    flags = parser.parse_args()
    results = {str(seed): read_json(path)["models"] for seed, path in zip(flags.seeds, flags.results, strict=True)}
    folders = dict(zip(results, (path.parent for path in flags.results), strict=True))
    summary = {**compared(results), "pseudo_labels": judged(folders, next(iter(results.values())))}
    with atomic_path(flags.table) as part:
        part.write_text(table(summary), encoding="utf-8")
    write_json(flags.output, summary)


def compared(results: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """mIoU of every model at every seed, and the gain of every round over the control of the same round."""
    names = list(next(iter(results.values())))
    miou = {
        name: {seed: next(iter(models[name]["miou"].values())) for seed, models in results.items()} for name in names
    }
    gains = {
        name: {seed: miou[name][seed] - miou[control][seed] for seed in results}
        for name in names
        if (control := f"control-{name.rpartition('-')[2]}") in names and name != control
    }
    return {"seeds": [int(seed) for seed in results], "miou": miou, "gain_over_control": gains}


def judged(folders: dict[str, Path], models: dict[str, Any]) -> dict[str, Any]:
    """Coverage and accuracy of every round's pseudo-labels at every seed, and of both measures at equal coverage."""
    rounds = [name for name in models if "-round" in name and not name.startswith("control")]
    quality = {
        name: {seed: read_json(folder / name / "pseudo_labels.json")["quality"] for seed, folder in folders.items()}
        for name in rounds
    }
    return {
        name: {
            key: {seed: found[key] for seed, found in by_seed.items()}
            for key in ("coverage", "accuracy", "accuracy_at_coverage")
        }
        for name, by_seed in quality.items()
        if all(by_seed.values())
    }


def table(summary: dict[str, Any]) -> str:
    """The comparison as Markdown, in percent: mIoU per seed, gains over the control, quality of the pseudo-labels."""
    columns = [str(seed) for seed in summary["seeds"]]
    lines = [_row(["mIoU in percent, seed", *columns, "mean"]), _row(["---", *["---:"] * (len(columns) + 1)])]
    for name, values in summary["miou"].items():
        lines.append(_row([name, *_percents(values, columns)]))
    for name, values in summary["gain_over_control"].items():
        lines.append(_row([f"{name} minus control", *_percents(values, columns, sign="+")]))
    for name, found in summary["pseudo_labels"].items():
        for key in ("coverage", "accuracy"):
            lines.append(_row([f"{name}: pseudo-label {key}", *_percents(found[key], columns)]))
    first = next((found for name, found in summary["pseudo_labels"].items() if name.endswith("-round1")), None)
    if first is not None:
        for coverage in SHOWN_COVERAGES:
            for measure in ("entropy", "confidence"):
                values = {seed: found[measure][coverage] for seed, found in first["accuracy_at_coverage"].items()}
                name = f"accuracy of the first teacher's most confident {100 * float(coverage):.0f} %, by {measure}"
                lines.append(_row([name, *_percents(values, columns)]))
    return "\n".join(lines) + "\n"


def _percents(values: dict[str, float], columns: list[str], sign: str = "") -> list[str]:
    return [f"{100 * value:{sign}.1f}" for value in (*(values[column] for column in columns), mean(values.values()))]


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    stage(main)
