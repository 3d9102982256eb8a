"""Atomic file writes, JSON files, and digests of files."""

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EDQUOT, EEXIST, EFBIG, ENOSPC, ENOTDIR, EPERM, EROFS
from pathlib import Path
from typing import Any

from esl.errors import InputError, one_line


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """A temporary path next to ``path``: renamed to ``path`` when the block succeeds, removed when it fails.

    A killed process leaves at most a ``.part`` file; nothing reads it.

    Raises:
        InputError: the disk, or the user's share of it, is full, or the folder cannot be written to.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        part.replace(path)
    except (OSError, RuntimeError) as error:  # torch raises the second in place of the first
        if (reason := _refusal(error, part)) is None:
            raise
        raise InputError(
            f"{path}: cannot be written ({reason}); make room there, or make it writable, and run again"
        ) from None
    finally:
        with suppress(OSError):
            part.unlink()


def _refusal(error: BaseException | None, part: Path) -> str | None:
    """Why ``part`` cannot be written, where an error, or one that it came from, says so."""
    own = {None, str(part), *map(str, part.parents)}  # HDF5 names no file
    while error is not None:
        if isinstance(error, OSError) and error.errno is not None:
            full = error.errno in (ENOSPC, EDQUOT, EFBIG, EROFS)
            if full or (error.errno in (EACCES, EPERM, ENOTDIR, EEXIST) and error.filename in own):
                return os.strerror(error.errno)
        error = error.__cause__ or error.__context__
    return None


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Writes ``content`` atomically, indented, with a final newline; NaN and infinity, unknown to JSON, are refused."""
    with atomic_path(path) as part:
        part.write_text(json.dumps(content, indent=2, allow_nan=False, ensure_ascii=False) + "\n", encoding="utf-8")


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: the file is missing, or is not a JSON object whose text is Unicode and whose keys occur once each;
            or it holds NaN or Infinity.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; run the stage that writes it: snakemake {path}")
    try:
        text = path.read_text(encoding="utf-8-sig")  # Windows' editors begin a file with a byte order mark
        content = json.loads(text, parse_constant=_refuse, object_pairs_hook=_once)
        if "\\u" in text:
            json.dumps(content, ensure_ascii=False).encode()  # half of a surrogate pair could not be written again
    except (ValueError, RecursionError) as error:  # of JSON, of Unicode, of a number with thousands of digits
        raise InputError(
            f"{path}: not readable as JSON ({one_line(error)}); delete it and run the workflow again"
        ) from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a JSON object, but got {type(content).__name__}")
    return content


def _refuse(constant: str) -> None:
    """JSON has no NaN and no Infinity; Python's reader takes them."""
    raise ValueError(f"{constant} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; Python's reader takes the last of several equal keys, others the first."""
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"{next(key for key in keys if keys.count(key) > 1)!r} occurs twice")
    return content


def is_text(name: str) -> bool:
    """Whether the name of a file is text: one that is not UTF-8 holds surrogates (PEP 383)."""
    return not any("\ud800" <= char <= "\udfff" for char in name)


def require_file(path: Path, *, fix: str) -> None:
    """Raises InputError, which ends with ``fix``, unless there is a file: a pipe is waited for, a device never ends."""
    try:
        if path.is_file():
            return
        reason = "a folder, pipe or device" if path.exists() else "no such file"
    except OSError as error:  # its name is too long, or its folder is closed
        reason = f"cannot be read ({error.strerror})"
    raise InputError(f"{path}: {reason}; {fix}")


def sha256_of_file(path: Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_lines(lines: list[str]) -> str:
    """The SHA-256 of text lines in the order given, each ended by a newline, in hexadecimal."""
    return hashlib.sha256("".join(f"{line}\n" for line in lines).encode(errors="surrogateescape")).hexdigest()
