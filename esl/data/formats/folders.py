"""Lists real folders: follows links, passes over thumbnails, reports unreadable folders."""

import os
from collections.abc import Iterator
from pathlib import Path

from esl.errors import InputError

PASSED_OVER = frozenset(
    ("@eaDir", "#recycle", "#snapshot", "__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information")
)
"""Folders of storage devices and operating systems: thumbnails of Synology's, remains of macOS, waste."""

Identity = tuple[int, int]
"""Device and number of a folder; they do not depend on the links to it."""


def entries(folder: Path) -> "list[os.DirEntry[str]]":
    """The content of a folder except ``PASSED_OVER``, sorted by name; empty if there is no such folder.

    Raises:
        InputError: the folder cannot be listed, or is a broken link.
    """
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if entry.name not in PASSED_OVER), key=lambda entry: entry.name)
    except NotADirectoryError:
        return []
    except FileNotFoundError:
        if is_broken_link(folder):
            raise InputError(
                f"{folder}: a broken link to {folder.readlink()}: its images would be missed; mount or fetch it, or "
                "remove the link"
            ) from None
        return []
    except OSError as error:
        closed = next((above for above in reversed(folder.parents) if not os.access(above, os.X_OK)), folder)
        raise InputError(
            f"{closed}: cannot be listed ({error.strerror}): its images would be missed; make it readable "
            "(chmod u+rx), or move it elsewhere"
        ) from None


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether ``entry`` is a folder or a link to one; a broken or circular link is not."""
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and Path(entry.path).is_dir())


def is_broken_link(path: Path) -> bool:
    """Whether ``path`` is a broken link with the name of a folder: without an ending, or with a number as in v1.2."""
    return not path.suffix.strip(".0123456789") and path.is_symlink() and not path.exists()


def walk(folder: Path, above: frozenset[Identity] = frozenset()) -> Iterator[Path]:
    """Every file in ``folder`` and below, and every broken link, except hidden ones.

    Links are followed, except a link to a folder above it.

    Raises:
        InputError: a folder cannot be listed.
    """
    found = entries(folder)
    if not found:
        return
    status = folder.stat()
    identity = (status.st_dev, status.st_ino)
    if identity in above:
        return
    for entry in found:
        if entry.name.startswith("."):
            continue
        if is_folder(entry) or (entry.is_symlink() and is_broken_link(Path(entry.path))):
            yield from walk(Path(entry.path), above | {identity})
        else:
            yield Path(entry.path)
