"""Labels that came back from a labelling tool -> PNGs of trainIds, checked as every label is."""

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from esl.classes import IGNORE, ClassSet
from esl.data.index import Index
from esl.data.notes import truncate
from esl.errors import InputError, Problem, printable
from esl.files import sha256_of_file
from esl.labelling.contents import LabelFile, Labels, LabelSet
from esl.labelling.drawing import drawn_for_scores
from esl.labelling.matching import Match, match, shared
from esl.labelling.returned.base import Annotated
from esl.labelling.returned.reading import read_annotated
from esl.labelling.settings import LabelsSettings
from esl.labels.png import png_path, remove_others, write_png


def returned_labels(settings: LabelsSettings, indices: Mapping[LabelSet, Index], folder: Path) -> Labels:
    """Writes each returned label as a PNG in ``folder``, at the size of its image; returns the manifest.

    ``indices`` holds the images of the target: those to score for `measure`, those to train on for `train`. An image on
    which nothing is labelled is skipped, with a note.

    Raises:
        InputError: names every mistake: labels of no image or of several, two for one image, other sizes, unknown
            classes; or there is no label at all.
    """
    class_set = indices["train"].class_set
    labels, problems = with_sets(settings, class_set)
    matches, more = match(labels, indices)
    problems += [*more, *shared(matches)]
    files: dict[str, LabelFile] = {}
    for each in sorted(matches, key=lambda it: it.sample.id):
        try:
            label = _label(each)
        except InputError as error:
            problems.append(Problem((), str(error)))
            continue
        if (label == IGNORE).all():
            print(f"note: {each.annotated.where}: nothing is labelled on it; left out", file=sys.stderr)
        elif not problems:
            files[each.sample.id] = _written(each, label, folder, class_set)
    _refuse(problems, settings)
    if not files:
        raise InputError(f"{_origin(settings)}: nothing is labelled on any image; label some, and export again")
    remove_others(folder, [png_path(folder, id_) for id_ in files])
    totals = np.sum([file.pixels for file in files.values()], axis=0).tolist()
    pixels = dict(zip(class_set.classes, totals, strict=True))
    measured = {id_ for id_, file in files.items() if file.set == "measure"}
    drawn = {sample.id for sample, _ in drawn_for_scores(indices["measure"], settings.drawn, settings.seed)}
    return Labels(
        origin=_origin(settings),
        drawn_at_random=bool(measured) and measured <= drawn,
        images=len(files),
        pixels=pixels,
        files=files,
    )


def with_sets(settings: LabelsSettings, class_set: ClassSet) -> tuple[list[tuple[Annotated, LabelSet]], list[Problem]]:
    """Every label with its set, of the config or of the file; and a problem for each that has none."""
    labels: list[tuple[Annotated, LabelSet]] = []
    problems = []
    for path, own in _places(settings):
        for annotated in read_annotated(Path(path), class_set):
            if set_ := own or annotated.set:
                labels.append((annotated, set_))
            else:
                problems.append(
                    Problem(
                        (annotated.where,),
                        "nothing says whether it is for scores or for training; export it in a subset (or a folder) "
                        "called `measure` or `train`, or name the file as target.labels.measure or target.labels.train",
                    )
                )
    return labels, problems


def _places(settings: LabelsSettings) -> Iterator[tuple[str, LabelSet | None]]:
    if settings.both is not None:
        yield settings.both, None
    if settings.measure is not None:
        yield settings.measure, "measure"
    if settings.train is not None:
        yield settings.train, "train"


def _label(match: Match) -> NDArray[np.uint8]:
    """The pixels of a label; InputError if they cannot be read, or are not those of its image."""
    label = match.annotated.read()
    height, width = label.shape
    if (width, height) != match.sample.size_wh:
        own = "{}x{}".format(*match.sample.size_wh)
        raise InputError(
            f"{match.annotated.where}: a label of {width}x{height} for an image of {own} ({match.sample.image}); "
            "export it at the size of the image"
        )
    return label


def _written(match: Match, label: NDArray[np.uint8], folder: Path, class_set: ClassSet) -> LabelFile:
    path = png_path(folder, match.sample.id)
    write_png(path, label, class_set)
    pixels = np.bincount(label.ravel(), minlength=256)[: len(class_set)].tolist()
    return LabelFile(sha256=sha256_of_file(path), set=match.set, image_sha256=match.sample.image_sha256, pixels=pixels)


def _refuse(problems: list[Problem], settings: LabelsSettings) -> None:
    if problems:
        lines = truncate([printable(str(problem)) for problem in problems])
        raise InputError(f"{_origin(settings)}: {len(problems)} mistake(s)\n  " + "\n  ".join(lines))


def _origin(settings: LabelsSettings) -> str:
    return ", ".join(path for path, _ in _places(settings))
