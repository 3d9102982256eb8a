"""Stage: every model's miou.json -> the benchmark's, with all models side by side, and a table for people."""

import argparse
from pathlib import Path
from typing import Any

from esl.files import beside, read_json, write_json
from esl.stages.command import add_paths, stage

Model = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, nargs="+", help="miou.json of every model, in order")
    add_paths(parser, "--output", "--table")
    parser.add_argument("--benchmark", required=True)
    flags = parser.parse_args()
    models = {path.parent.name: read_json(path) for path in flags.models}
    with beside(flags.table) as part:
        part.write_text(table(flags.benchmark, models), encoding="utf-8")
    write_json(flags.output, {"benchmark": flags.benchmark, "models": models})


def table(benchmark: str, models: dict[str, Model]) -> str:
    """Per-class IoU and mIoU of every model in percent, one column per model, as aligned text."""
    first = next(iter(models.values()))
    if not first["images"]:
        return f"{benchmark}: nothing to evaluate with: none of {first['unlabelled']} pictures has a label\n"
    rows = [["IoU in percent", *models]]
    rows += [[name, *(_percent(model["iou"][name]) for model in models.values())] for name in first["iou"]]
    rows += [[f"mIoU {name}", *(_percent(model["miou"][name]) for model in models.values())] for name in first["miou"]]
    rows += [["pixel accuracy", *(_percent(model["pixel_accuracy"]) for model in models.values())]]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) if column == 0 else cell.rjust(width) for column, (cell, width) in enumerate(cells))
        for cells in ([*zip(row, widths, strict=True)] for row in rows)
    ]
    rule = "-" * len(lines[0])
    heading = f"{benchmark}: {first['images']} labelled pictures, data: {first['data']}"
    totals = 1 + len(first["miou"])
    return "\n".join([heading, "", lines[0], rule, *lines[1:-totals], rule, *lines[-totals:]]) + "\n"


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}"


if __name__ == "__main__":
    stage(main)
