"""Confidence measures compared over maps of several teachers or views, against the labels of the target."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from tqdm import tqdm

from esl.data.index import Index
from esl.errors import InputError
from esl.evaluation.contents import ComparedMaps, ComparedMeasure, ConfidenceComparison
from esl.labels.measures.base import Measure
from esl.labels.measures.build import measure_named
from esl.labels.risk import COVERAGES, Ranking, accuracy_at, share
from esl.labels.shard import open_shard, same_origin
from esl.labels.writer import stored_measures
from esl.tables import row, scaled

HALF = 0.5
"""The share of each predicted class in ``accuracy_of_surer_halves``."""


def compare_maps(folders: Mapping[str, Sequence[Path]], index: Index) -> ConfidenceComparison:
    """The content of confidence.json, from the name of each set of maps -> all its shards.

    Every stored measure is compared. The numbers need labels; nothing that trains reads them.

    Raises:
        InputError: the index has no label, or a set of maps lacks labelled samples of it or stores no measure.
    """
    if not index.labelled:
        raise InputError(f"{index.root}: no image of {index.split!r} has a label, so there is nothing to compare with")
    maps = {name: _compared([*shards], index) for name, shards in folders.items()}
    return ConfidenceComparison(labelled_images=len(index.labelled), maps=maps)


def _compared(shards: list[Path], index: Index) -> ComparedMaps:
    """The entry of one set of maps."""
    origin = same_origin(shards)
    if not (measures := [measure_named(name) for name in stored_measures(shards)]):
        raise InputError(f"{shards[0].parent}: stores no measure; add one to inference.maps and infer again")
    ranking = ranking_of(shards, index, measures)
    total, correct = ranking.counts[measures[0].name].sum(axis=(1, 2))
    halves = {measure.name: accuracy_at(HALF, *ranking.counts[measure.name], sure=measure.sure) for measure in measures}
    return ComparedMaps(
        teacher_sha256=origin.checkpoint_sha256,
        views=[*origin.views],
        accuracy=share(correct, total),
        measures={
            name: ComparedMeasure(**dict(risk), accuracy_of_surer_halves=halves[name])
            for name, risk in ranking.summary(index.class_set).items()
        },
    )


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
                for number, id_ in enumerate(shard.ids):
                    if (sample := samples.pop(id_, None)) is None:
                        continue
                    maps = shard.maps(number, names)
                    height, width = maps["label"].shape
                    ranking.add(index.read_label(sample, (width, height)), maps)
                    bar.update()
    if samples:
        raise InputError(
            f"{shards[0].parent}: no maps of {len(samples)} labelled samples such as {min(samples)!r}; name all shards"
        )
    return ranking


def confidence_table(content: ConfidenceComparison) -> str:
    """The comparison as Markdown: areas in 1e-3, accuracies in percent."""
    shares = [f"most confident {100 * share_:.0f} %" for share_ in COVERAGES]
    head = ["maps", "views", "measure", "AUGRC", "AURC", *shares, "more confident half of each class", "all"]
    lines = [row(head), row(["---", "---", "---", *["---:"] * (len(head) - 3)])]
    for name, entry in content.maps.items():
        views = ", ".join(map(str, ["plain", *entry.views]))
        for measure, risk in entry.measures.items():
            areas = [scaled(area, 1000) for area in (risk.augrc, risk.aurc)]
            accuracies = [*risk.accuracy.values(), risk.accuracy_of_surer_halves, entry.accuracy]
            lines.append(row([name, views, measure, *areas, *map(scaled, accuracies)]))
    note = f"{content.labelled_images} labelled images; AUGRC and AURC in 1e-3, low is good; accuracies in percent."
    return "\n".join([*lines, "", note]) + "\n"
