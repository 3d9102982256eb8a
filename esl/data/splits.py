"""Splits of a dataset: its own ones, list files (text files of ids, image paths or patterns), and patterns."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path, PurePosixPath

from esl.data.formats.base import Format, LabelFiles, Listing, Sample, nfc
from esl.data.formats.patterns import WHOLE
from esl.data.images import DEPTH
from esl.data.notes import truncate
from esl.errors import InputError, Problem

SHOWN_MISTAKES = 20
"""The most wrong entries of a list in an error."""

_WILD = frozenset("*?[")
"""The wildcards of a pattern, as in a shell; none of them matches ``/``."""

Entry = tuple[str, str]
"""The place of an entry in its list, for messages, and its text."""


def listing_of(format_: Format, root: Path, split: str) -> Listing:
    """Every sample of a split, or the samples of a list; sorted by id.

    A list is a text file (``split`` ends in .txt) with an entry on each line, or patterns in ``split`` itself, with
    spaces between them. An entry is an id, the path of an image (from the root, or from any folder below it), or a
    pattern of ids or paths; ``!`` before an entry takes its samples out again. In a file, blank lines and lines with #
    in front are skipped; its path is relative to the root, or else to the working folder.

    Raises:
        InputError: the list file is missing or empty, or an entry names no sample, several of one id, or a sample of
            an earlier line; or as ``Format.listing``.
    """
    if split.endswith(".txt"):
        path = _list_file(root, split)
        return _listing_of_entries(format_, root, str(path), [*_lines(path)], (path,))
    if is_pattern(split):
        entries = [(f"pattern {number}", text) for number, text in enumerate(split.split(), start=1)]
        return _listing_of_entries(format_, root, f"split {split!r}", entries, ())
    return format_.listing(root, split)


def _listing_of_entries(
    format_: Format, root: Path, title: str, entries: list[Entry], tables: tuple[Path, ...]
) -> Listing:
    """The samples of ``entries``, in all splits; ``title`` is the list's name in errors."""
    splits = format_.splits(root)
    listings = [format_.listing(root, each) for each in ([WHOLE] if WHOLE in splits else splits)]
    chosen = _choose(title, entries, [sample for listing in listings for sample in listing.samples], root)
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


def is_pattern(name: str) -> bool:
    """Whether an entry of a list, or a split, is a pattern; or, for a split, several.

    >>> is_pattern("ulm_* bonn_*"), is_pattern("train")
    (True, False)
    """
    return not _WILD.isdisjoint(name)


def _list_file(root: Path, split: str) -> Path:
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


def _choose(title: str, entries: list[Entry], samples: list[Sample], root: Path) -> dict[str, Sample]:
    """The samples of the entries of a list, by id; InputError lists the wrong entries."""
    by_name = _by_name(samples, root)
    chosen: dict[str, tuple[Sample, str]] = {}  # with the place of its first entry
    problems = []
    for where, entry in entries:
        name = entry.removeprefix("!").removeprefix("./")
        try:
            exact = by_name.get(nfc(name), [])
            matches = exact or [sample for sample in samples if is_pattern(name) and _fits(sample, name, root)]
            _check_entry(name, exact, matches, root)
            if not entry.startswith("!"):
                _add(exact, matches, where, chosen)
            elif not [sample for sample in matches if chosen.pop(sample.id, None)]:
                raise InputError("takes out no image of the entries before it")
        except InputError as error:
            problems.append(Problem((f"{where}: {entry!r}",), str(error)))
    if not chosen and not problems:
        problems.append(Problem((), "it names no image"))
    if problems:
        lines = truncate([*map(str, problems)], SHOWN_MISTAKES)
        raise InputError(f"{title}: {len(problems)} mistake(s)\n  " + "\n  ".join(lines))
    return {id_: sample for id_, (sample, _) in chosen.items()}


def _check_entry(name: str, exact: list[Sample], matches: list[Sample], root: Path) -> None:
    """InputError for an entry outside of the root or without an image."""
    if ".." in PurePosixPath(name).parts or PurePosixPath(name).is_absolute():
        raise InputError("expected an id, or a path below the root, without ..")
    if not matches:
        raise InputError(f"no such image under {root}")


def _add(exact: list[Sample], matches: list[Sample], where: str, chosen: dict[str, tuple[Sample, str]]) -> None:
    """Adds the image of an entry's name, or all images of its pattern, to ``chosen``.

    Raises:
        InputError: two images have the same name or id, or an earlier entry names the image.
    """
    if len(exact) > 1:
        raise InputError(f"names several images: {', '.join(str(sample.image) for sample in exact)}")
    if exact and exact[0].id in chosen:
        raise InputError(f"the same image as in {chosen[exact[0].id][1]}; remove one")
    added: dict[str, tuple[Sample, str]] = {}
    for sample in matches:
        other, _ = chosen.get(sample.id) or added.setdefault(sample.id, (sample, where))
        if other is not sample:
            raise InputError(f"names several images: {other.image}, {sample.image}")
    chosen |= added


def _fits(sample: Sample, pattern: str, root: Path) -> bool:
    """Whether a pattern fits the id of a sample, or an end of its image's path."""
    if PurePosixPath(sample.id).match(pattern):
        return True
    return sample.image is not None and sample.image.relative_to(root).match(pattern)


def _by_name(samples: list[Sample], root: Path) -> dict[str, list[Sample]]:
    """Samples by each of their names, in NFC: the id, and every end of the image's path."""
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
    """The kind of the chosen samples' labels; InputError if there are several kinds."""
    kinds = [listing.label_files for listing in listings if any(sample.label for sample in listing.samples)]
    kinds = kinds or [listing.label_files for listing in listings][:1]
    distinct = list(dict.fromkeys(kind for kind in kinds if kind is not None))
    if not distinct:
        return None
    if len({(kind.labels, kind.encoding) for kind in distinct}) > 1:
        patterns = ", ".join(kind.pattern for kind in distinct)
        raise InputError(
            f"{title}: names images with labels of different ids ({patterns}); make one list for each kind"
        )
    pattern = " or ".join(kind.pattern for kind in distinct).replace("{split}", "*")
    return replace(distinct[0], pattern=pattern)
