"""Lists: a split of any dataset as a text file of ids, image paths or patterns, or as patterns in the config itself."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath

from esl.data.formats.base import Format, LabelFiles, Listing, Sample, nfc
from esl.data.formats.patterns import WHOLE
from esl.data.images import DEPTH
from esl.errors import InputError, message

SHOWN_MISTAKES = 20
"""The most wrong entries of a list that an error names."""

_WILD = frozenset("*?[")
"""The characters that make a name a pattern, as in a shell; none of them matches ``/``."""

Entry = tuple[str, str]
"""Where an entry of a list stands, for messages, and its text."""


def listing_of(format_: Format, root: Path, split: str) -> Listing:
    """Every sample of a split; of a list, the samples that it names, sorted by id.

    A list is a text file (``split`` ends in .txt) with an entry on each line, or patterns in ``split`` itself, with
    spaces between them. An entry names a sample by its id, or by the path of its image: from the root, or from any
    folder below it. A pattern names every sample that it fits; ``!`` before an entry takes its samples out again. In a
    file, blank lines and lines that begin with # are skipped; its path is relative to the root, or else to the working
    folder.

    Raises:
        InputError: the list file is missing or empty, or an entry names no sample, several of one id, or one that an
            earlier line names; or as ``Format.listing``.
    """
    if is_list_file(split):
        path = list_file(root, split)
        return _listed(format_, root, str(path), [*_lines(path)], (path,))
    if is_pattern(split):
        entries = [(f"pattern {number}", text) for number, text in enumerate(split.split(), start=1)]
        return _listed(format_, root, f"split {split!r}", entries, ())
    return format_.listing(root, split)


def _listed(format_: Format, root: Path, title: str, entries: list[Entry], tables: tuple[Path, ...]) -> Listing:
    """The samples that ``entries`` name, of all splits; ``title`` is the list's name in errors."""
    splits = format_.splits(root)
    listings = [format_.listing(root, each) for each in ([WHOLE] if WHOLE in splits else splits)]
    chosen = _chosen(title, entries, [sample for listing in listings for sample in listing.samples], root)
    listings = [
        replace(listing, samples=[sample for sample in listing.samples if sample.id in chosen]) for listing in listings
    ]
    return Listing(
        sorted(chosen.values(), key=lambda sample: sample.id),
        _label_files(title, listings),
        [defect for listing in listings for defect in listing.defects],
        (*tables, *(table for listing in listings for table in listing.tables)),
        bits=listings[0].bits if listings else DEPTH,
    )


def is_list_file(split: str) -> bool:
    """Whether a split is the path of a list file."""
    return split.endswith(".txt")


def is_pattern(name: str) -> bool:
    """Whether an entry of a list, or a split, is a pattern; or, for a split, several.

    >>> is_pattern("ulm_* bonn_*"), is_pattern("train")
    (True, False)
    """
    return not _WILD.isdisjoint(name)


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


def _chosen(title: str, entries: list[Entry], samples: list[Sample], root: Path) -> dict[str, Sample]:
    """The samples that the entries of a list name, by id."""
    by_name = _by_name(samples, root)
    chosen: dict[str, Sample] = {}
    named_first: dict[str, str] = {}
    mistakes = []
    for where, entry in entries:
        name = entry.removeprefix("!").removeprefix("./")
        exact = by_name.get(nfc(name), [])
        matches = exact or [sample for sample in samples if is_pattern(name) and _fits(sample, name, root)]
        mistake = None
        if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
            mistake = message("expected an id, or a path below the root, without ..")
        elif not matches:
            mistake = message(f"no such image under {root}")
        elif entry.startswith("!"):
            if not [sample for sample in matches if chosen.pop(sample.id, None)]:
                mistake = message("takes out none of the images that the entries before it name")
        elif several := _several(exact, matches, chosen):
            mistake = message(f"names several images: {', '.join(str(sample.image) for sample in several)}")
        elif exact and exact[0].id in chosen:
            mistake = message(f"the same image as in {named_first[exact[0].id]}; remove one")
        else:
            chosen |= {sample.id: sample for sample in matches}
            named_first = {sample.id: where for sample in matches} | named_first
        if mistake:
            mistakes.append(f"{where}: {entry!r}: {mistake}")
    if not chosen and not mistakes:
        mistakes.append(message("it names no image"))
    if mistakes:
        more = len(mistakes) - SHOWN_MISTAKES
        lines = mistakes[:SHOWN_MISTAKES] + ([message(f"... and {more} more")] if more > 0 else [])
        raise InputError(f"{title}: {len(mistakes)} mistake(s)\n  " + "\n  ".join(lines))
    return chosen


def _several(exact: list[Sample], matches: list[Sample], chosen: Mapping[str, Sample]) -> list[Sample]:
    """The images that one name has, or the first two of one id among those chosen and those that a pattern fits."""
    if exact:
        return exact if len(exact) > 1 else []
    by_id = {**chosen}
    for sample in matches:
        if (other := by_id.setdefault(sample.id, sample)) is not sample:
            return [other, sample]
    return []


def _fits(sample: Sample, pattern: str, root: Path) -> bool:
    """Whether a pattern fits the id of a sample, or an end of its image's path."""
    if PurePosixPath(sample.id).match(pattern):
        return True
    return sample.image is not None and sample.image.relative_to(root).match(pattern)


def _by_name(samples: list[Sample], root: Path) -> dict[str, list[Sample]]:
    """Samples by everything that names them, in NFC: the id, and every end of the image's path."""
    table: defaultdict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        names = {sample.id}
        if sample.image is not None:
            parts = sample.image.relative_to(root).parts
            names |= {"/".join(parts[start:]) for start in range(len(parts))}
        for name in {nfc(name) for name in names}:
            table[name].append(sample)
    return table


def _lines(path: Path) -> Iterator[Entry]:
    """The entries of a list file, with the numbers of their lines."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: expected text in UTF-8, one id or path per line ({error})") from None
    for number, line in enumerate(text.splitlines(), start=1):
        if (name := line.strip()) and not name.startswith("#"):
            yield f"line {number}", name


def _label_files(title: str, listings: list[Listing]) -> LabelFiles | None:
    """How to read the labels of the chosen samples; InputError if they are of different kinds."""
    kinds = [listing.label_files for listing in listings if any(sample.label for sample in listing.samples)]
    kinds = kinds or [listing.label_files for listing in listings][:1]
    distinct = list(dict.fromkeys(kind for kind in kinds if kind is not None))
    if not distinct:
        return None
    if len({(kind.labels, kind.encoding) for kind in distinct}) > 1:
        patterns = ", ".join(kind.pattern for kind in distinct)
        raise InputError(
            f"{title}: names images whose labels differ in their ids ({patterns}); make one list for each kind"
        )
    pattern = " or ".join(kind.pattern for kind in distinct).replace("{split}", "*")
    return replace(distinct[0], pattern=pattern)
