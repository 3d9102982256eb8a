"""Detects whether a file of a dataset has changed since the index was made.

Planning asks ``state`` for tokens at every run, and rules carry them. Next to the index, its stage
records the tokens and the size, date and digest of each file. Neither a touched file nor a deleted rendering changes a
token. Planning refuses a missing root of a real dataset before it asks.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NamedTuple

from pydantic import Field, ValidationError

from esl.contents import Content, Sha256
from esl.data.formats.base import Format
from esl.data.splits import listing_of
from esl.errors import InputError
from esl.files import sha256_of_file, sha256_of_lines, write_json

ABSENT = "absent"
"""The token of a dataset without a root: the workflow renders it first."""

Stat = tuple[int, int]
"""Size in bytes and date of the last change in nanoseconds."""

Recorded = tuple[int, int, Sha256]
"""A ``Stat``, and the digest of the bytes."""


class State(NamedTuple):
    """Tokens that change when a file is added, removed or changed: of any file of a split, and of its images alone.

    Jobs that read only images carry the second: a label that comes in later does not rerun them.
    """

    files: str
    images: str


class Stats(NamedTuple):
    """Size and date of the files of a split, by path from the root: of images, and of labels, lists and tables."""

    images: dict[str, Stat]
    others: dict[str, Stat]


class _Record(Content):
    """The content of a record: planning's tokens; size, date and digest of each file."""

    token: Annotated[str, Field(min_length=1)]
    image_token: Annotated[str, Field(min_length=1)]
    images: dict[str, Recorded]
    files: dict[str, Recorded]

    @property
    def state(self) -> State:
        """The tokens."""
        return State(self.token, self.image_token)


def record_of(index: Path) -> Path:
    """The path of an index's record: ``source.json`` -> ``source.files.json``."""
    return index.with_name(f"{index.stem}.files.json")


def files_of(format_: Format, root: Path, split: str) -> tuple[list[Path], list[Path]]:
    """The images of a split; and its labels, lists and tables.

    Raises:
        InputError: as ``listing_of``.
    """
    listing = listing_of(format_, root, split)
    labels = [sample.label for sample in listing.samples if sample.label is not None]
    images = [sample.image for sample in listing.samples if sample.image is not None]
    return images, [*labels, *dict.fromkeys(listing.tables)]


def stats_of(format_: Format, root: Path, split: str) -> Stats:
    """Size and date of every file of a split.

    Raises:
        InputError: as ``listing_of``.
    """
    images, others = files_of(format_, root, split)
    return Stats(_stats(images, root), _stats(others, root))


def _stats(paths: Iterable[Path], root: Path) -> dict[str, Stat]:
    stats = {}
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            status = path.lstat()  # a link to nothing: the inspection reports it
        stats[_name(path, root)] = status.st_size, status.st_mtime_ns
    return stats


def state(root: Path, format_: Format, split: str, record: Path) -> State:
    """The tokens of the files of a split.

    Reads sizes and dates, and the bytes of files only if their date alone has changed. A dataset without a listing
    raises nothing: the tokens hold the error, and the stage of the index reports it.
    """
    recorded = _read_record(record)
    if not root.is_dir():
        return recorded.state if recorded else State(ABSENT, ABSENT)
    try:
        stats = stats_of(format_, root, split)
        same_images = recorded is not None and _same(root, stats.images, recorded.images)
        if recorded and same_images and _same(root, stats.others, recorded.files):
            _refresh(record, recorded, stats)
            return recorded.state
    except (InputError, OSError) as error:
        return State(f"unlisted: {error}", f"unlisted: {error}")
    images = recorded.image_token if recorded and same_images else _token(stats.images)
    return State(_token(stats.images | stats.others), images)


def _token(stats: Mapping[str, Stat]) -> str:
    return sha256_of_lines([f"{name} {size} {date}" for name, (size, date) in sorted(stats.items())])


def write_record(record: Path, tokens: State, root: Path, stats: Stats, digests: Mapping[str, str]) -> None:
    """Writes the record of a split's files; reads each file without a digest in ``digests`` to compute it."""
    images, files = (
        {
            name: [size, date, digests.get(name) or sha256_of_file(_path(name, root))]
            for name, (size, date) in sorted(some.items())
        }
        for some in stats
    )
    write_json(record, {"token": tokens.files, "image_token": tokens.images, "images": images, "files": files})


def _refresh(record: Path, recorded: _Record, stats: Stats) -> None:
    """Records new dates of unchanged files; the next planning need not read them again."""
    before = (recorded.images, recorded.files)
    images, files = (
        {name: (*some[name], digest) for name, (_, _, digest) in old.items()}
        for some, old in zip(stats, before, strict=True)
    )
    if (images, files) != before:
        with suppress(OSError):  # somebody else's folder: they will be read again
            write_json(record, recorded.model_copy(update={"images": images, "files": files}).to_json())


def _read_record(path: Path) -> _Record | None:
    """The content of a record; ``None`` if it is missing or damaged."""
    if not path.is_file():
        return None
    try:
        record = _Record.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    return record if "".join(record.state).isprintable() else None


def _same(root: Path, stats: Mapping[str, Stat], recorded: Mapping[str, tuple[int, int, str]]) -> bool:
    """Whether the record holds the same files: by size and date, and by digest if only the date differs."""
    if stats.keys() != recorded.keys():
        return False
    touched = []
    for name, (size, date) in stats.items():
        recorded_size, recorded_date, digest = recorded[name]
        if size != recorded_size:
            return False
        if date != recorded_date:
            touched.append((name, digest))
    return all(sha256_of_file(_path(name, root)) == digest for name, digest in touched)


def _name(path: Path, root: Path) -> str:
    """The path of a file from the root, as text; a list file elsewhere keeps its own path.

    `Path.relative_to` would take most of the planning time of a million files.
    """
    name, prefix = str(path), str(root / "x")[:-1]
    return name.removeprefix(prefix) if name.startswith(prefix) else f"./{name}"


def _path(name: str, root: Path) -> Path:
    """The inverse of ``_name``."""
    return Path(name) if name.startswith("./") else root / name
