"""Labels that came back from a labelling tool: checked as every label is, then written as PNGs of trainIds."""

import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from esl.classes import IGNORE, ClassSet
from esl.data.index import Index
from esl.data.notes import truncate
from esl.errors import InputError, Problem, suggestion
from esl.labelling.annotated import AnnotatedImage, ReadLabel
from esl.labelling.contents import Labels, LabelSet
from esl.labelling.drawing import drawn_for_scores
from esl.labelling.kinds import annotated_images
from esl.labelling.matching import Match, conflicts, match
from esl.labelling.settings import LabelsSettings
from esl.labelling.writing import manifest, write_label


class Source(NamedTuple):
    """A file or folder of labels, and the set of all of its images; ``None``: the file says it of each."""

    path: Path
    set: LabelSet | None = None


def sources(settings: LabelsSettings) -> list[Source]:
    """The files and folders of labels that the settings name."""
    paths: list[tuple[str | None, LabelSet | None]] = [
        (settings.labels, None),
        (settings.measure, "measure"),
        (settings.train, "train"),
    ]
    return [Source(Path(path), set_) for path, set_ in paths if path is not None]


def write_labels(settings: LabelsSettings, indices: Mapping[LabelSet, Index], folder: Path) -> Labels:
    """Writes one PNG per labelled image into ``folder``, at the image's size; other PNGs in it are removed.

    ``indices`` are those of the target's images, of which each set takes some. An image without a labelled pixel is
    left out, with a note.

    Raises:
        InputError: a source is missing or of no kind that is read; or labels do not fit the target or its classes:
            the message has a line for each.
    """
    class_set, *others = (index.class_set for index in indices.values())
    if any(other != class_set for other in others):
        raise InputError("the two indices of the target are of different class sets; index the target again")
    images, problems = with_sets(sources(settings))
    matches, unmatched = match(images, indices)
    labelled, defects = _checked(matches, class_set)
    problems += unmatched + conflicts(matches) + defects
    origin = ", ".join(str(source.path) for source in sources(settings))
    if problems:
        lines = "\n  ".join(truncate([*map(str, problems)]))
        raise InputError(f"{origin}: {len(problems)} problem(s) with the labels; nothing is written\n  {lines}")
    files = {
        each.sample.id: write_label(folder, each.sample, each.set, each.annotated.read(class_set).train_ids, class_set)
        for each in labelled
    }
    drawn = {sample.id for sample, _ in drawn_for_scores(indices["measure"], settings.drawn, settings.seed)}
    measured = {id_ for id_, file in files.items() if file.set == "measure"}
    at_random = bool(measured) and measured <= drawn
    return manifest(folder, files, class_set, origin=origin, drawn_at_random=at_random)


def with_sets(sources: Sequence[Source]) -> tuple[list[tuple[LabelSet, AnnotatedImage]], list[Problem]]:
    """Every labelled image with its set, and a line for each source that does not say it."""
    images: list[tuple[LabelSet, AnnotatedImage]] = []
    problems = []
    for path, set_ in sources:
        without = []
        for image in annotated_images(path):
            if (own := set_ or image.set) is not None:
                images.append((own, image))
            else:
                without.append(image.name)
        if without:
            problems.append(
                Problem(
                    (str(path),),
                    f"does not say what {len(without)} image(s) such as {without[0]!r} are for: in CVAT give them the "
                    "subset `measure` or `train`, put PNGs into folders of these names, call COCO files so, or set "
                    "`target.labels: {measure: ..., train: ...}` to a file of its own for each",
                )
            )
    return images, problems


def _checked(matches: Sequence[Match], class_set: ClassSet) -> tuple[list[Match], list[Problem]]:
    """The labels with a labelled pixel.

    Also a line for each label that is damaged or does not fit its image, for each name that is no class, and if there
    is no labelled pixel at all.
    """
    labelled: list[Match] = []
    problems = []
    unknown: dict[str, list[str]] = defaultdict(list)
    for each in matches:
        file = each.annotated.file
        try:
            label = each.annotated.read(class_set)
        except InputError as error:
            problems.append(Problem((), str(error)))
            continue
        if text := _misfit(label, each.sample.size_wh):
            problems.append(Problem((file,), text))
        for name in sorted(label.unknown):
            unknown[name].append(file)
        if (label.train_ids != IGNORE).any():
            labelled.append(each)
        else:
            print(f"note: {file}: nothing is labelled on it; left out", file=sys.stderr)
    problems += [_unknown(name, files, class_set) for name, files in sorted(unknown.items())]
    if matches and not labelled and not problems:
        problems.append(Problem((), "nothing is labelled on any image; label some, and export them again"))
    return labelled, problems


def _misfit(label: ReadLabel, size_wh: tuple[int, int]) -> str | None:
    """Why a label does not fit an image of this size."""
    height, width = label.train_ids.shape
    if (width, height) != size_wh:
        turned = "; is the image turned by its EXIF orientation?" if (height, width) == size_wh else ""
        return (
            f"is {width}x{height}, but its image is {size_wh[0]}x{size_wh[1]}{turned}; label the image itself, or "
            "export the labels at its size"
        )
    return None


def _unknown(name: str, files: Sequence[str], class_set: ClassSet) -> Problem:
    """The line about a label that no class has."""
    more = f" and {len(files) - 1} more image(s)" if len(files) > 1 else ""
    text = f"the label {name!r} is of no class of {class_set.name!r}; rename it in the tool, or remove it"
    return Problem((f"{files[0]}{more}",), text + suggestion(name, class_set.classes))
