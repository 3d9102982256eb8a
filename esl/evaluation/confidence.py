"""Measures of confidence compared over maps of several teachers or views, against the labels of the target."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from esl.data.index import Index
from esl.errors import InputError
from esl.labels.measures.base import Measure
from esl.labels.measures.build import measure_named
from esl.labels.risk import COVERAGES, Ranking, accuracy_at, share
from esl.labels.shard import open_shard, same_origin
from esl.labels.writer import stored_measures

HALF = 0.5
"""The share of each predicted class in ``accuracy_of_surer_halves``."""


def compare_maps(folders: Mapping[str, Sequence[Path]], index: Index) -> dict[str, Any]:
    """The content of confidence.json, from the name of each set of maps -> all its shards.

    Under ``maps``, for each set its ``teacher_sha256``, ``views``, ``accuracy`` of all predictions, and for each stored
    measure ``risk_coverage`` (see ``esl/labels/risk.py``) and the accuracy of the surer half of each predicted class.
    The figures need labels; nothing that trains reads them.

    Raises:
        InputError: the index has no label, or a set of maps lacks labelled samples of it or stores no measure.
    """
    if not index.labelled:
        raise InputError(f"{index.root}: no image of {index.split!r} has a label, so there is nothing to compare with")
    maps = {name: _figures([*shards], index) for name, shards in folders.items()}
    return {"labelled_images": len(index.labelled), "maps": maps}


def _figures(shards: list[Path], index: Index) -> dict[str, Any]:
    """The entry of one set of maps."""
    origin = same_origin(shards)
    if not (measures := [measure_named(name) for name in stored_measures(shards)]):
        raise InputError(f"{shards[0].parent}: stores no measure; add one to inference.maps and infer again")
    ranking = ranking_of(shards, index, measures)
    total, correct = ranking.counts[measures[0].name].sum(axis=(1, 2))
    figures = ranking.summary(index.class_set)
    for measure in measures:
        halves = accuracy_at(HALF, *ranking.counts[measure.name], sure=measure.sure)
        figures[measure.name]["accuracy_of_surer_halves"] = halves
    return {
        "teacher_sha256": origin.checkpoint_sha256,
        "views": [*origin.views],
        "accuracy": share(correct, total),
        "measures": figures,
    }


def ranking_of(shards: Sequence[Path], index: Index, measures: Sequence[Measure]) -> Ranking:
    """Every labelled sample of the index, counted by ``measures``, in memory that does not grow with their number.

    Raises:
        InputError: the shards lack a labelled sample, or the map of a measure.
    """
    ranking = Ranking(len(index.class_set), measures)
    samples = {sample.id: sample for sample in index.labelled}
    names = ("label", *(measure.name for measure in measures))
    with tqdm(total=len(samples), unit="image", mininterval=5) as bar:
        for path in shards:
            with open_shard(path) as shard:
                for row, id_ in enumerate(shard.ids):
                    if (sample := samples.pop(id_, None)) is None:
                        continue
                    maps = shard.maps(row, names)
                    height, width = maps["label"].shape
                    ranking.add(index.read_label(sample, (width, height)), maps)
                    bar.update()
    if samples:
        raise InputError(
            f"{shards[0].parent}: no maps of {len(samples)} labelled samples such as {min(samples)!r}; name all shards"
        )
    return ranking


def confidence_table(content: Mapping[str, Any]) -> str:
    """The comparison as Markdown: areas in 1e-3, accuracies in percent."""
    head = ["maps", "views", "measure", "AUGRC", "AURC", *(f"surest {100 * share_:.0f} %" for share_ in COVERAGES)]
    head += ["surer half of each class", "all"]
    lines = [_row(head), _row(["---", "---", "---", *["---:"] * (len(head) - 3)])]
    for name, entry in content["maps"].items():
        views = ", ".join(map(str, ["plain", *entry["views"]]))
        for measure, figures in entry["measures"].items():
            areas = [_scaled(figures[key], 1000) for key in ("augrc", "aurc")]
            accuracies = [*figures["accuracy"].values(), figures["accuracy_of_surer_halves"], entry["accuracy"]]
            lines.append(_row([name, views, measure, *areas, *(_scaled(value, 100) for value in accuracies)]))
    note = f"{content['labelled_images']} labelled images; AUGRC and AURC in 1e-3, low is good; accuracies in percent."
    return "\n".join([*lines, "", note]) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _scaled(value: float | None, factor: int) -> str:
    return "-" if value is None else f"{factor * value:.1f}"
