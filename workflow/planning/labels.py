"""Labels of target images that the config names: their paths, and mistakes in them before anything runs."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path

from esl.data.config import LabelPaths
from esl.data.formats.base import Sample
from esl.data.formats.build import format_named
from esl.data.index import Index, IndexedSample
from esl.data.settings import IndexSettings
from esl.data.splits import listing_of
from esl.errors import InputError
from esl.files import sha256_of_file, sha256_of_lines
from esl.labelling.contents import LabelSet
from esl.labelling.kinds import state
from esl.labelling.matching import Match, conflicts, match
from esl.labelling.returned import sources, with_sets
from esl.labelling.settings import OWN, LabelsSettings
from planning.benchmark import Benchmark

PART: Mapping[LabelSet, str] = {"measure": "target_val", "train": "target_train"}
"""The part of the data that has the images of each set."""


def labels_settings(benchmark: Benchmark) -> LabelsSettings | None:
    """The paths of the labels that came back; ``None``: the config names none."""
    labels = benchmark.target.labels
    if labels is None or labels == OWN:
        return None
    paths = labels.model_dump() if isinstance(labels, LabelPaths) else {"labels": labels}
    return LabelsSettings.model_validate({**paths, "drawn": benchmark.labelling.measure, "seed": benchmark.seed})


def labels_state(settings: LabelsSettings) -> str:
    """A token of the content of the labels' files: a touched file keeps it."""
    return sha256_of_lines([f"{source.path} {state(source.path)}" for source in sources(settings)])[:16]


@cache
def _sha256(path: Path, size: int, modified: int) -> str:
    return sha256_of_file(path)


def label_problems(name: str, benchmark: Benchmark, data: Callable[[str], IndexSettings]) -> Iterator[str]:
    """A line for each mistake in the labels of a benchmark, as far as names and images show it.

    ``data`` gives the settings of a part of the data. Nothing is said where the images cannot be listed yet.
    """
    if (settings := labels_settings(benchmark)) is None:
        return
    try:
        labels, problems = with_sets(sources(settings))
    except InputError as error:
        yield f"benchmarks.{name}.target.labels: {error}"
        return
    try:
        listings = {set_: _listing(data(part)) for set_, part in PART.items()}
    except (InputError, OSError):
        return  # the index reports it
    if not all(samples for _, samples in listings.values()):
        return  # not there yet, such as a miniature that has not been rendered
    matches, more = match(labels, {set_: index for set_, (index, _) in listings.items()})
    digested = [
        each._replace(sample=replace(each.sample, image_sha256=_digest(listings[each.set][0], each.sample)))
        for each in matches
    ]
    for problem in [*problems, *more, *conflicts(digested)]:
        yield f"benchmarks.{name}.target.labels: {problem}"
    if not any(each.set == "measure" for each in matches):
        yield from _scored_already(name, digested, listings)


def _listing(settings: IndexSettings) -> tuple[Index, list[Sample]]:
    """An index of a part of the data without any digest or size, and its samples."""
    root = Path(settings.root)
    format_ = format_named(settings.dataset, settings.declaration)
    listing = listing_of(format_, root, settings.split)
    samples = [
        IndexedSample(each.id, each.image.relative_to(root).as_posix(), (1, 1), None, None, None, "", None)
        for each in listing.samples
        if each.image is not None
    ]
    index = Index(
        dataset=settings.dataset, root=settings.root, split=settings.split, class_set=settings.class_set,
        label_files=None, encoding="ids", labels=(), samples=samples,
    )  # fmt: skip
    return index, listing.samples


def _digest(index: Index, sample: IndexedSample) -> str:
    path = Path(index.root) / sample.image
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


def _scored_already(
    name: str, matches: list[Match], listings: Mapping[LabelSet, tuple[Index, list[Sample]]]
) -> Iterator[str]:
    """Labels for training of images that the validation set is scored on, under any name.

    Only images of the size of a labelled one are read.
    """
    root = Path(listings["train"][0].root)
    sizes = {(root / each.sample.image).stat().st_size for each in matches}
    wanted = {each.sample.image_sha256: each for each in matches}
    for sample in listings["measure"][1]:
        if sample.image is None or sample.label is None or (status := sample.image.stat()).st_size not in sizes:
            continue
        if (digest := _sha256(sample.image, status.st_size, status.st_mtime_ns)) in wanted:
            yield (
                f"benchmarks.{name}.target.labels: {wanted[digest].annotated.file}: scores are measured on this image "
                f"({sample.image}), so no model may train on its label; remove one of them"
            )
