"""The scores of a benchmark's models as a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from esl.errors import InputError
from esl.evaluation.contents import BenchmarkScores, BestSnapshot, Difference, Intervals, ModelScores
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


def table(content: BenchmarkScores) -> str:
    """Per-class IoU and mIoU of every model in percent, one column per model, as aligned text.

    Below them the mIoU of the best snapshots, and how they were chosen; and what the intervals of differences decide.
    """
    models, best = content.models, content.best_snapshots
    first = next(iter(models.values()))
    if not first.images:
        return f"{content.benchmark}: nothing to evaluate: none of {first.unlabelled} images has a label\n"
    blocks = _blocks(models, best, content.intervals)
    widths = [max(map(len, column)) for column in zip(*(row for block in blocks for row in block), strict=True)]
    rule = "-" * (sum(widths) + 2 * len(models))
    lines = [f"{content.benchmark}: {first.images} labelled images, data: {first.data}", ""]
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
    if content.intervals is not None:
        lines += ["", *_decisions(models, content.intervals)]
    return "\n".join(lines) + "\n"


def _blocks(
    models: Mapping[str, ModelScores], best: Mapping[str, BestSnapshot], intervals: Intervals | None
) -> list[list[list[str]]]:
    """The rows of the table in blocks: names; IoU of the classes; means; best snapshots, where there are any."""
    columns: Sequence[ModelScores] = [*models.values()]
    first = columns[0]
    blocks = [
        [["IoU in percent", *models]],
        [[name, *(scaled(scores.iou[name]) for scores in columns)] for name in first.iou],
        [line for name in first.miou for line in _mean_rows(name, models, intervals)]
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


def _mean_rows(name: str, models: Mapping[str, ModelScores], intervals: Intervals | None) -> list[list[str]]:
    """The mIoU of one class set for every model and, where there are any, its intervals below it."""
    rows = [[f"mIoU {name}", *(scaled(scores.miou[name]) for scores in models.values())]]
    if intervals is not None:
        ends = [intervals.miou[model][name] for model in models]
        rows.append(["  95 % interval", *("-" if own is None else bracket(own) for own in ends)])
    return rows


def bracket(ends: Sequence[float], sign: str = "") -> str:
    """An interval in percent or in points.

    >>> bracket([0.028, 0.072], sign="+")
    '[+2.8, +7.2]'
    """
    return f"[{', '.join(scaled(end, sign=sign) for end in ends)}]"


def _decisions(models: Mapping[str, ModelScores], intervals: Intervals) -> list[str]:
    """A line for each difference of the first class set: how the labels decide it."""
    first = next(iter(models.values()))
    name = next(iter(first.miou))
    lines = [f"Intervals hold the true value in 95 of 100 cases, over {intervals.over}. Differences in mIoU {name}:"]
    lines += [decision(difference, first.images) for difference in intervals.differences if difference.set == name]
    unlabelled = [class_ for class_, pixels in zip(first.iou, first.confusion, strict=True) if not any(pixels)]
    if predicted := [class_ for class_ in unlabelled if any(own.iou[class_] is not None for own in models.values())]:
        lines.append(f"Differences leave out classes without a label in these images: {', '.join(predicted)}")
    return lines


def decision(difference: Difference, images: int) -> str:
    """A difference in words: how ``images`` labelled images decide between two models."""
    numbers = f"{scaled(difference.value, sign='+')} {bracket([difference.low, difference.high], sign='+')}"
    if difference.is_decided:
        which = "better" if difference.value > 0 else "worse"
        return f"{difference.model} is {which} than {difference.against}: {numbers}, {images} images"
    more = difference.images_to_decide
    rest = "they hardly differ" if more is None else f"about {more} images would decide it"
    return f"{difference.model} against {difference.against} is not decided: {numbers}; {rest}"
