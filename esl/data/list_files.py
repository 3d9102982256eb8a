"""List files: a split of any dataset as a text file of ids or image paths, one per line."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from esl.data.formats.base import Format, LabelFiles, Listing, Sample
from esl.data.formats.patterns import WHOLE
from esl.errors import InputError, message

SHOWN_MISTAKES = 20
"""The most wrong lines of a list file that an error names."""


def listing_of(format_: Format, root: Path, split: str) -> Listing:
    """Every sample of a split; of a list file (``split`` ends in .txt), the samples that it names, sorted by id.

    A line names a sample by its id, or by the path of its image: from the root, or from any folder below it. Blank
    lines and lines that begin with # are skipped. The path of a list file is relative to the root, or else to the
    working folder.

    Raises:
        InputError: the list file is missing or empty, or a line names no sample, several, or one that was named before;
            or as ``Format.listing``.
    """
    if not is_list_file(split):
        return format_.listing(root, split)
    path = list_file(root, split)
    splits = format_.splits(root)
    listings = [format_.listing(root, each) for each in ([WHOLE] if WHOLE in splits else splits)]
    chosen = _chosen(path, [sample for listing in listings for sample in listing.samples], root)
    listings = [
        replace(listing, samples=[sample for sample in listing.samples if sample.id in chosen]) for listing in listings
    ]
    return Listing(
        sorted(chosen.values(), key=lambda sample: sample.id),
        _label_files(path, listings),
        [defect for listing in listings for defect in listing.defects],
        (path, *(table for listing in listings for table in listing.tables)),
    )


def is_list_file(split: str) -> bool:
    """Whether a split is the path of a list file."""
    return split.endswith(".txt")


def list_file(root: Path, split: str) -> Path:
    """The path of a list file: under the root, or else relative to the working folder.

    Raises:
        InputError: it is in neither, or its path could lead out of them.
    """
    relative = PurePosixPath(split)
    if relative.is_absolute() or ".." in relative.parts:
        raise InputError(f"split {split!r}: expected the path of a list file below the root, without ..")
    for path in (root / split, Path(split)):
        if path.is_file():
            return path
    raise InputError(f"split {split!r}: no such list file, neither in {root} nor in the working folder")


def _chosen(path: Path, samples: list[Sample], root: Path) -> dict[str, Sample]:
    """The samples that a list file names, by id."""
    by_name = _by_name(samples, root)
    chosen: dict[str, Sample] = {}
    first_line: dict[str, int] = {}
    mistakes = []
    for number, name in _names(path):
        matches = by_name.get(name.removeprefix("./"), [])
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            mistakes.append(message(f"line {number}: {name!r}: expected an id, or a path below the root, without .."))
        elif not matches:
            mistakes.append(message(f"line {number}: {name!r}: no such image under {root}"))
        elif len(matches) > 1:
            paths = ", ".join(str(each.image) for each in matches)
            mistakes.append(message(f"line {number}: {name!r}: names several images: {paths}"))
        elif (id_ := matches[0].id) in chosen:
            mistakes.append(
                message(f"line {number}: {name!r}: the same image as in line {first_line[id_]}; remove one")
            )
        else:
            chosen[id_], first_line[id_] = matches[0], number
    if not chosen and not mistakes:
        mistakes.append(message("it names no image"))
    if mistakes:
        more = len(mistakes) - SHOWN_MISTAKES
        lines = mistakes[:SHOWN_MISTAKES] + ([message(f"... and {more} more")] if more > 0 else [])
        raise InputError(f"{path}: {len(mistakes)} mistake(s)\n  " + "\n  ".join(lines))
    return chosen


def _by_name(samples: list[Sample], root: Path) -> dict[str, list[Sample]]:
    """Samples by everything that names them: the id, and every end of the image's path."""
    table: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        names = {sample.id}
        if sample.image is not None:
            parts = sample.image.relative_to(root).parts
            names |= {"/".join(parts[start:]) for start in range(len(parts))}
        for name in names:
            table[name].append(sample)
    return table


def _names(path: Path) -> Iterator[tuple[int, str]]:
    """The lines of a list file that name something, with their numbers."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text in UTF-8, one id or path per line ({error})") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if (name := line.strip()) and not name.startswith("#"):
            yield number, name


def _label_files(path: Path, listings: list[Listing]) -> LabelFiles | None:
    """How to read the labels of the chosen samples; InputError if they are of different kinds."""
    kinds = [listing.label_files for listing in listings if any(sample.label for sample in listing.samples)]
    kinds = kinds or [listing.label_files for listing in listings][:1]
    distinct = list(dict.fromkeys(kind for kind in kinds if kind is not None))
    if not distinct:
        return None
    if len({(kind.labels, kind.encoding) for kind in distinct}) > 1:
        patterns = ", ".join(kind.pattern for kind in distinct)
        raise InputError(
            f"{path}: names images whose labels differ in their ids ({patterns}); make one list for each kind"
        )
    pattern = " or ".join(kind.pattern for kind in distinct).replace("{split}", "*")
    return replace(distinct[0], pattern=pattern)
