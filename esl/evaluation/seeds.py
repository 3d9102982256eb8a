"""A benchmark over several seeds: every model's mIoU, its gain over the control, and the quality of pseudo-labels."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean

from esl.contents import Shares
from esl.evaluation.contents import BySeed, RoundQuality, SeedComparison, read_table
from esl.labels.manifest import read_manifest
from esl.tables import row, scaled

SHOWN_COVERAGES = ("0.3", "0.5", "0.7", "0.9")


def compare_seeds(results: Mapping[str, Path]) -> SeedComparison:
    """The content of reproduce.json, from seed -> miou.json of the benchmark at that seed.

    The gap is the one between source only and the oracle: 0 is the first, 1 the second.
    """
    tables = {seed: read_table(path) for seed, path in results.items()}
    models = {seed: table.models for seed, table in tables.items()}
    folders = {seed: path.parent for seed, path in results.items()}
    names = list(next(iter(models.values())))
    miou = {name: {seed: next(iter(scores[name].miou.values())) for seed, scores in models.items()} for name in names}
    controls = tables[next(iter(tables))].controls
    gain = {
        name: {seed: _difference(miou[name][seed], miou[control][seed]) for seed in models}
        for name, control in controls.items()
    }
    closed = {
        name: {seed: _share(*(miou[model][seed] for model in ("source", name, "oracle"))) for seed in models}
        for name in names
        if "-round" in name and {"source", "oracle"} <= set(names)
    }
    kept = [name for name in names if "-round" in name and not name.startswith("control-")]
    return SeedComparison(
        seeds=[int(seed) for seed in results],
        miou=miou,
        controls=controls,
        gain_over_control=gain,
        gap_closed=closed,
        pseudo_labels=label_quality(folders, kept),
    )


def label_quality(folders: Mapping[str, Path], rounds: Sequence[str]) -> dict[str, RoundQuality]:
    """Round -> the quality of its pseudo-labels by seed, and of every measure at equal coverage.

    ``folders`` maps seed -> the folder of the results. A round whose images have no labels, or that keeps nothing on
    purpose, is left out.
    """
    found = {}
    for name in rounds:
        paths = {seed: folder / name / "pseudo_labels.json" for seed, folder in folders.items()}
        quality = {seed: read_manifest(path).quality for seed, path in paths.items()}
        known = {seed: values for seed, values in quality.items() if values is not None}
        if len(known) == len(quality) and any(values.coverage for values in known.values()):
            found[name] = RoundQuality(
                coverage={seed: values.coverage for seed, values in known.items()},
                accuracy={seed: values.accuracy for seed, values in known.items()},
                accuracy_at_coverage={seed: values.accuracy_at_coverage for seed, values in known.items()},
            )
    return found


def seed_table(summary: SeedComparison) -> str:
    """The comparison as Markdown, in percent: mIoU per seed, gains over the control, quality of the pseudo-labels."""
    columns = [str(seed) for seed in summary.seeds]
    if not any(value is not None for values in summary.miou.values() for value in values.values()):
        return "nothing to compare: no validation image has a label\n"
    lines = [row(["mIoU in percent, seed", *columns, "mean", "min to max"])]
    lines.append(row(["---", *["---:"] * (len(columns) + 2)]))
    for name, values in summary.miou.items():
        lines.append(row([name, *_cells(values, columns)]))
    for name, values in summary.gain_over_control.items():
        lines.append(row([f"{name} minus {summary.controls[name]}", *_cells(values, columns, sign="+")]))
    for name, values in summary.gap_closed.items():
        lines.append(row([f"{name}: share of the way from source to oracle", *_cells(values, columns)]))
    for name, quality in summary.pseudo_labels.items():
        lines.append(row([f"{name}: pseudo-label coverage", *_cells(quality.coverage, columns)]))
        lines.append(row([f"{name}: pseudo-label accuracy", *_cells(quality.accuracy, columns)]))
    first = next((name for name in summary.pseudo_labels if name.endswith("-round1")), None)
    if first is not None:
        lines += _measure_rows(first, summary.pseudo_labels[first].accuracy_at_coverage, columns)
    return "\n".join(lines) + "\n"


def _measure_rows(name: str, accuracy: Mapping[str, Mapping[str, Shares]], columns: Sequence[str]) -> list[str]:
    """Rows of the accuracy of the teacher of the round ``name``, from seed -> measure -> coverage -> accuracy."""
    rows = []
    for coverage in SHOWN_COVERAGES:
        for measure in next(iter(accuracy.values())):
            values = {seed: measures[measure][coverage] for seed, measures in accuracy.items()}
            share = f"{100 * float(coverage):.0f} %, by {measure}"
            rows.append(row([f"{name}: accuracy of its teacher's most confident {share}", *_cells(values, columns)]))
    return rows


def _difference(value: float | None, of: float | None) -> float | None:
    return None if value is None or of is None else value - of


def _share(low: float | None, value: float | None, high: float | None) -> float | None:
    """How far ``value`` lies on the way from ``low`` to ``high``; null where there is no way up."""
    return None if low is None or value is None or high is None or high <= low else (value - low) / (high - low)


def _cells(values: BySeed, columns: Sequence[str], sign: str = "") -> list[str]:
    """The values of the columns, then the mean and the range of those there are, in percent; `-` for a missing one."""
    present = [value for value in values.values() if value is not None]
    numbers = [*(values[column] for column in columns), mean(present) if present else None]
    ends = [scaled(end(present), sign=sign) for end in (min, max)] if present else ["-"]
    return [*(scaled(number, sign=sign) for number in numbers), " to ".join(ends)]
