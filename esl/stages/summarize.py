"""Stage: every model's miou.json -> the benchmark's, with all models side by side, and a table for people."""

import argparse
from pathlib import Path
from typing import Any

from esl.files import atomic_path, read_json, write_json
from esl.stages.command import add_paths, stage

Model = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=Path, required=True, nargs="+", help="miou.json of every model, in order")
    add_paths(parser, "--output", "--table")
    parser.add_argument("--best", type=Path, default=[], nargs="*", help="best_snapshot.json of models that have one")
    parser.add_argument("--benchmark", required=True)
    flags = parser.parse_args()
    models = {path.parent.name: read_json(path) for path in flags.models}
    best = {path.parent.name: read_json(path) for path in flags.best}
    with atomic_path(flags.table) as part:
        part.write_text(table(flags.benchmark, models, best), encoding="utf-8")
    content = {"benchmark": flags.benchmark, "models": models}
    write_json(flags.output, content | ({"best_snapshots": best} if best else {}))


def table(benchmark: str, models: dict[str, Model], best: dict[str, Model]) -> str:
    """Per-class IoU and mIoU of every model in percent, one column per model, as aligned text.

    Below them the mIoU of the best snapshot of the models in ``best``, and what such a figure is.
    """
    first = next(iter(models.values()))
    if not first["images"]:
        return f"{benchmark}: nothing to evaluate with: none of {first['unlabelled']} pictures has a label\n"
    shown, scored = models.values(), [best.get(name) for name in models]
    blocks = [
        [["IoU in percent", *models]],
        [[name, *(_percent(model["iou"][name]) for model in shown)] for name in first["iou"]],
        [[f"mIoU {name}", *(_percent(model["miou"][name]) for model in shown)] for name in first["miou"]]
        + [["pixel accuracy", *(_percent(model["pixel_accuracy"]) for model in shown)]],
    ]
    if best:
        blocks += [
            [
                [f"best snapshot {name} *", *(_percent(None if one is None else one["miou"][name]) for one in scored)]
                for name in first["miou"]
            ]
            + [["its iteration", *("-" if one is None else str(one["iteration"]) for one in scored)]]
        ]
    widths = [max(map(len, column)) for column in zip(*(row for block in blocks for row in block), strict=True)]
    rule = "-" * (sum(widths) + 2 * len(models))
    lines = [f"{benchmark}: {first['images']} labelled pictures, data: {first['data']}", ""]
    for number, block in enumerate(blocks):
        lines += [rule] if number else []
        for name, *cells in block:
            padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([name.ljust(widths[0]), *padded]))
    if best:
        most = max(len(one["candidates"]) for one in best.values())
        lines += ["", f"* the best of at most {most}, chosen by {next(iter(best.values()))['chosen_by']}"]
    return "\n".join(lines) + "\n"


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}"


if __name__ == "__main__":
    stage(main)
