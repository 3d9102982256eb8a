"""Folders as people's disks hold them: links are followed, thumbnails passed over, unreadable folders reported."""

import os
from collections.abc import Iterator
from pathlib import Path

from esl.errors import InputError

PASSED_OVER = frozenset(
    ("@eaDir", "#recycle", "#snapshot", "__MACOSX", "lost+found", "$RECYCLE.BIN", "System Volume Information")
)
"""Folders that storage devices and systems keep for themselves: thumbnails of Synology's, remains of macOS, waste."""

Identity = tuple[int, int]
"""Device and number of a folder: the same by whatever link it is reached."""


def entries(folder: Path) -> "list[os.DirEntry[str]]":
    """What is in a folder but for ``PASSED_OVER``, sorted by name; nothing where there is no such folder.

    Raises:
        InputError: the folder cannot be listed, or is a link to one that is not there.
    """
    try:
        with os.scandir(folder) as found:
            return sorted((entry for entry in found if entry.name not in PASSED_OVER), key=lambda entry: entry.name)
    except NotADirectoryError:
        return []
    except FileNotFoundError:
        if is_broken_link(folder):
            raise InputError(
                f"{folder}: a link to {folder.readlink()}, which is not there, so that its images would be missed; "
                "mount or fetch it, or remove the link"
            ) from None
        return []
    except OSError as error:
        closed = next((above for above in reversed(folder.parents) if not os.access(above, os.X_OK)), folder)
        raise InputError(
            f"{closed}: cannot be listed ({error.strerror}), so that its images would be missed; make it readable "
            "(chmod u+rx), or move it elsewhere"
        ) from None


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder or a link to one; a link to nothing, or to itself, is none."""
    return entry.is_dir(follow_symlinks=False) or (entry.is_symlink() and Path(entry.path).is_dir())


def is_broken_link(path: Path) -> bool:
    """Whether it is a link to nothing that has the name of a folder: without an ending, but for a number as in v1.2."""
    return not path.suffix.strip(".0123456789") and path.is_symlink() and not path.exists()


def walk(folder: Path, above: frozenset[Identity] = frozenset()) -> Iterator[Path]:
    """Every file in ``folder`` and below, and every link to nothing, but for hidden ones.

    Links are followed, wherever they lead, but for a link to a folder that it is in.

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
