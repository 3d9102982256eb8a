"""The scores of a benchmark's models as a table."""

from pathlib import Path
from typing import Any

from esl.errors import InputError

Scores = dict[str, Any]
"""The content of a model's miou.json."""


def require_same_labels(models: dict[Path, Scores]) -> None:
    """Models belong in one table only when all were scored on the same images and labels.

    Raises:
        InputError: some were not, which happens when the data change; names them and says how to fix it.
    """
    digests = {path: scores.get("labels_sha256") for path, scores in models.items()}
    last = [*digests.values()][-1]
    stale = [path for path, digest in digests.items() if digest != last]
    if stale:
        names = ", ".join(dict.fromkeys(path.parent.name for path in stale))
        raise InputError(
            f"{names}: scored on other images or labels than {[*digests][-1].parent.name}, so the numbers "
            f"cannot be compared; evaluate all again: delete {' '.join(str(path) for path in digests)} and run the "
            "workflow again"
        )


def table(benchmark: str, models: dict[str, Scores], best: dict[str, Scores]) -> str:
    """Per-class IoU and mIoU of every model in percent, one column per model, as aligned text.

    Below them the mIoU of the best snapshot of the models in ``best``, and how it was chosen.
    """
    first = next(iter(models.values()))
    if not first["images"]:
        return f"{benchmark}: nothing to evaluate: none of {first['unlabelled']} images has a label\n"
    blocks = _blocks(models, best)
    widths = [max(map(len, column)) for column in zip(*(row for block in blocks for row in block), strict=True)]
    rule = "-" * (sum(widths) + 2 * len(models))
    lines = [f"{benchmark}: {first['images']} labelled images, data: {first['data']}", ""]
    for number, block in enumerate(blocks):
        lines += [rule] if number else []
        for name, *cells in block:
            padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([name.ljust(widths[0]), *padded]))
    if foreign := list(first.get("foreign", ())):
        names = f"{', '.join(foreign[:-1])} or {foreign[-1]}" if foreign[1:] else foreign[0]
        lines += ["", f"+foreign: what is predicted where the truth is {names} counts as an error, else not at all"]
    if best:
        most = max(len(scores["candidates"]) for scores in best.values())
        lines += ["", f"* the best of at most {most}, chosen by {next(iter(best.values()))['chosen_by']}"]
    return "\n".join(lines) + "\n"


def _blocks(models: dict[str, Scores], best: dict[str, Scores]) -> list[list[list[str]]]:
    """The rows of the table in blocks: names; IoU of the classes; means; best snapshots, where there are any."""
    first, columns = next(iter(models.values())), [*models.values()]
    blocks = [
        [["IoU in percent", *models]],
        [[name, *(_percent(model["iou"][name]) for model in columns)] for name in first["iou"]],
        [[f"mIoU {name}", *(_percent(model["miou"][name]) for model in columns)] for name in first["miou"]]
        + [["pixel accuracy", *(_percent(model["pixel_accuracy"]) for model in columns)]],
    ]
    if best:
        snapshots = [best.get(name) for name in models]
        rows = [
            [f"best snapshot {name} *", *(_percent(None if one is None else one["miou"][name]) for one in snapshots)]
            for name in first["miou"]
        ]
        blocks.append([*rows, ["its iteration", *("-" if one is None else str(one["iteration"]) for one in snapshots)]])
    return blocks


def _percent(fraction: float | None) -> str:
    return "-" if fraction is None else f"{100 * fraction:.1f}"
