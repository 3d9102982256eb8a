"""The scores of a benchmark's models as a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from esl.errors import InputError
from esl.evaluation.contents import BestSnapshot, ModelScores
from esl.tables import scaled


def require_same_labels(models: Mapping[Path, ModelScores]) -> None:
    """Checks that all models were scored on the same images and labels; only then do they belong in one table.

    Raises:
        InputError: some were not, because the data have changed; names them and says how to fix it.
    """
    digests = {path: scores.labels_sha256 for path, scores in models.items()}
    last = [*digests.values()][-1]
    stale = [path for path, digest in digests.items() if digest != last]
    if stale:
        names = ", ".join(dict.fromkeys(path.parent.name for path in stale))
        raise InputError(
            f"{names}: scored on other images or labels than {[*digests][-1].parent.name}, so the numbers "
            f"cannot be compared; evaluate all again: delete {' '.join(str(path) for path in digests)} and run the "
            "workflow again"
        )


def table(benchmark: str, models: Mapping[str, ModelScores], best: Mapping[str, BestSnapshot]) -> str:
    """Per-class IoU and mIoU of every model in percent, one column per model, as aligned text.

    Below them the mIoU of the best snapshot of the models in ``best``, and how it was chosen.
    """
    first = next(iter(models.values()))
    if not first.images:
        return f"{benchmark}: nothing to evaluate: none of {first.unlabelled} images has a label\n"
    blocks = _blocks(models, best)
    widths = [max(map(len, column)) for column in zip(*(row for block in blocks for row in block), strict=True)]
    rule = "-" * (sum(widths) + 2 * len(models))
    lines = [f"{benchmark}: {first.images} labelled images, data: {first.data}", ""]
    for number, block in enumerate(blocks):
        lines += [rule] if number else []
        for name, *cells in block:
            padded = [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
            lines.append("  ".join([name.ljust(widths[0]), *padded]))
    if foreign := list(first.foreign):
        names = f"{', '.join(foreign[:-1])} or {foreign[-1]}" if foreign[1:] else foreign[0]
        lines += ["", f"+foreign: what is predicted where the truth is {names} counts as an error, else not at all"]
    if best:
        most = max(len(scores.candidates) for scores in best.values())
        lines += ["", f"* the best of at most {most}, chosen by {next(iter(best.values())).chosen_by}"]
    return "\n".join(lines) + "\n"


def _blocks(models: Mapping[str, ModelScores], best: Mapping[str, BestSnapshot]) -> list[list[list[str]]]:
    """The rows of the table in blocks: names; IoU of the classes; means; best snapshots, where there are any."""
    columns: Sequence[ModelScores] = [*models.values()]
    first = columns[0]
    blocks = [
        [["IoU in percent", *models]],
        [[name, *(scaled(scores.iou[name]) for scores in columns)] for name in first.iou],
        [[f"mIoU {name}", *(scaled(scores.miou[name]) for scores in columns)] for name in first.miou]
        + [["pixel accuracy", *(scaled(scores.pixel_accuracy) for scores in columns)]],
    ]
    if best:
        snapshots = [best.get(name) for name in models]
        rows = [
            [f"best snapshot {name} *", *("-" if one is None else scaled(one.miou[name]) for one in snapshots)]
            for name in first.miou
        ]
        blocks.append([*rows, ["its iteration", *("-" if one is None else str(one.iteration) for one in snapshots)]])
    return blocks
