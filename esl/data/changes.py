"""Detects whether a file of a dataset has changed since the index was made.

Planning asks ``state`` for a token at every run, and the rule of the index carries it. Next to the index, its stage
records the token and the size, date and digest of each file. Neither a touched file nor a deleted rendering changes the
token. Planning refuses a missing root of a real dataset before it asks.
"""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated

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


class _Record(Content):
    """The content of a record: planning's token; size, date and digest of each file."""

    token: Annotated[str, Field(min_length=1)]
    files: dict[str, tuple[int, int, Sha256]]


def record_of(index: Path) -> Path:
    """The path of an index's record: ``source.json`` -> ``source.files.json``."""
    return index.with_name(f"{index.stem}.files.json")


def files_of(format_: Format, root: Path, split: str) -> list[Path]:
    """The images and labels of a split, and its lists and tables.

    Raises:
        InputError: as ``listing_of``.
    """
    listing = listing_of(format_, root, split)
    halves = (half for sample in listing.samples for half in (sample.image, sample.label))
    return [*(half for half in halves if half is not None), *dict.fromkeys(listing.tables)]


def stats_of(format_: Format, root: Path, split: str) -> dict[str, Stat]:
    """Size and date of every file of a split, by its path from the root.

    Raises:
        InputError: as ``listing_of``.
    """
    stats = {}
    for path in files_of(format_, root, split):
        try:
            status = path.stat()
        except OSError:
            status = path.lstat()  # a link to nothing: the inspection reports it
        stats[_name(path, root)] = status.st_size, status.st_mtime_ns
    return stats


def state(root: Path, format_: Format, split: str, record: Path) -> str:
    """A token for the files of a split; it changes when a file is added, removed or changed.

    Reads sizes and dates, and the bytes of files only if their date alone has changed. A dataset without a listing
    raises nothing: the token holds the error, and the stage of the index reports it.
    """
    recorded = _read_record(record)
    if not root.is_dir():
        return recorded.token if recorded else ABSENT
    try:
        stats = stats_of(format_, root, split)
        if recorded and _same(root, stats, recorded.files):
            _refresh(record, recorded, stats)
            return recorded.token
    except (InputError, OSError) as error:
        return f"unlisted: {error}"
    return sha256_of_lines([f"{name} {size} {date}" for name, (size, date) in sorted(stats.items())])


def write_record(record: Path, token: str, root: Path, stats: Mapping[str, Stat], digests: Mapping[str, str]) -> None:
    """Writes the record of a split's files; reads each file without a digest in ``digests`` to compute it."""
    files = {
        name: [size, date, digests.get(name) or sha256_of_file(_path(name, root))]
        for name, (size, date) in sorted(stats.items())
    }
    write_json(record, {"token": token, "files": files})


def _refresh(record: Path, recorded: _Record, stats: Mapping[str, Stat]) -> None:
    """Records new dates of unchanged files; the next planning need not read them again."""
    files = {name: (*stats[name], digest) for name, (_, _, digest) in recorded.files.items()}
    if files != recorded.files:
        with suppress(OSError):  # somebody else's folder: they will be read again
            write_json(record, {"token": recorded.token, "files": files})


def _read_record(path: Path) -> _Record | None:
    """The content of a record; ``None`` if it is missing or damaged."""
    if not path.is_file():
        return None
    try:
        record = _Record.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
    return record if record.token.isprintable() else None


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
